/* SPDX-License-Identifier: Apache-2.0 */
#include "image/archive_write.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"

void archive_writer_release(struct archive_writer *writer)
{
	/* It writes an end where there is none yet. */
	writer->discard = true;
	if (writer->tar)
		archive_write_free(writer->tar);
	cleanup_close(&writer->file);
	strv_free(writer->written);
	strv_free(writer->dirs);
	*writer = (struct archive_writer)ARCHIVE_WRITER_INIT;
}

/* --- a tar --- */

/* After poll(2) a pipe takes that much at once, and a signal is seen when nobody reads on. */
#define PIECE_SIZE 4096
#define BLOCK_SIZE (64 << 10)

static int write_pieces(struct archive_writer *writer, const char *block, size_t len,
			struct err *err)
{
	while (len > 0) {
		size_t piece = writer->is_file || len < PIECE_SIZE ? len : PIECE_SIZE;
		int r = interrupt_poll(writer->interrupt, writer->fd, POLLOUT, -1, err);

		if (r < 0)
			return r;
		r = fd_write_all(writer->fd, block, piece);
		if (r < 0)
			return err_sys(err, -r, "cannot write the archive");
		block += piece;
		len -= piece;
	}
	return 0;
}

/*
 * A failure is kept and not told: libarchive would not release its memory then. What comes after
 * it goes nowhere.
 */
static la_ssize_t write_block(struct archive *tar, void *data, const void *block, size_t len)
{
	struct archive_writer *writer = data;

	(void)tar;
	if (!writer->discard && write_pieces(writer, block, len, &writer->err) < 0)
		writer->discard = true;
	return (la_ssize_t)len;
}

/* What came of a call of libarchive's that went well or not. */
static int tar_result(struct archive_writer *writer, bool went_well, struct err *err)
{
	if (writer->err.kind != ERR_NONE) {
		*err = writer->err;
		return err_negative(err_code(err));
	}
	if (went_well)
		return 0;
	return err_set(err, ERR_SYS, EIO, "cannot write the archive: %s",
		       archive_error_string(writer->tar));
}

int archive_writer_open_tar(struct archive_writer *writer, int fd,
			    const struct interrupt *interrupt, struct err *err)
{
	struct stat st;

	writer->fd = fd;
	writer->interrupt = interrupt;
	writer->is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	writer->tar = archive_write_new();
	if (!writer->tar)
		return err_sys(err, ENOMEM, "cannot write an archive");
	/* ustar, and pax where a file is larger than that can say. */
	return tar_result(
		writer,
		archive_write_set_format_pax_restricted(writer->tar) == ARCHIVE_OK &&
			archive_write_set_bytes_per_block(writer->tar, BLOCK_SIZE) == ARCHIVE_OK &&
			archive_write_set_bytes_in_last_block(writer->tar, 1) == ARCHIVE_OK &&
			archive_write_open(writer->tar, writer, NULL, write_block, NULL) ==
				ARCHIVE_OK,
		err);
}

static int write_header(struct archive_writer *writer, const char *path, mode_t type, mode_t mode,
			int64_t size, struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!entry)
		return err_sys(err, ENOMEM, "cannot write an archive");
	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, mode);
	archive_entry_set_size(entry, size);
	archive_entry_set_mtime(entry, 0, 0);
	r = archive_write_header(writer->tar, entry);
	archive_entry_free(entry);
	return tar_result(writer, r == ARCHIVE_OK, err);
}

/* --- either --- */

void archive_writer_open_dir(struct archive_writer *writer, int dir)
{
	writer->dir = dir;
}

static bool has(char *const *paths, const char *path)
{
	for (; paths && *paths; paths++)
		if (strcmp(*paths, path) == 0)
			return true;
	return false;
}

bool archive_writer_has(const struct archive_writer *writer, const char *path)
{
	return has(writer->written, path);
}

static int remember(char ***paths, const char *path, struct err *err)
{
	return strv_add(paths, path) < 0 ? err_sys(err, ENOMEM, "cannot write an archive") : 0;
}

static int make_dir(struct archive_writer *writer, const char *path, struct err *err)
{
	int r = 0;

	if (has(writer->dirs, path))
		return 0;
	if (writer->dir < 0)
		r = write_header(writer, path, AE_IFDIR, 0755, 0, err);
	else if (mkdirat(writer->dir, path, 0755) < 0)
		r = err_sys(err, errno, "cannot create %s", path);
	return r < 0 ? r : remember(&writer->dirs, path, err);
}

static int make_parents(struct archive_writer *writer, const char *path, struct err *err)
{
	int r = 0;

	for (const char *slash = strchr(path, '/'); r == 0 && slash;
	     slash = strchr(slash + 1, '/')) {
		AUTO_FREE char *parent = strndup(path, (size_t)(slash - path));

		r = parent ? make_dir(writer, parent, err) :
			     err_sys(err, ENOMEM, "cannot write an archive");
	}
	return r;
}

int archive_writer_begin(struct archive_writer *writer, const char *path, int64_t size,
			 struct err *err)
{
	int r = make_parents(writer, path, err);

	if (r == 0)
		r = remember(&writer->written, path, err);
	if (r < 0)
		return r;
	if (writer->dir < 0)
		return write_header(writer, path, AE_IFREG, 0644, size, err);
	writer->file = openat(writer->dir, path,
			      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return writer->file < 0 ? err_sys(err, errno, "cannot create %s", path) : 0;
}

int archive_writer_data(struct archive_writer *writer, const void *data, size_t len,
			struct err *err)
{
	int r;

	if (writer->dir < 0)
		return tar_result(
			writer, archive_write_data(writer->tar, data, len) == (la_ssize_t)len, err);
	r = fd_write_all(writer->file, data, len);
	return r < 0 ? err_sys(err, -r, "cannot write %s",
			       writer->written[strv_len(writer->written) - 1]) :
		       0;
}

int archive_writer_end(struct archive_writer *writer, struct err *err)
{
	if (writer->dir < 0)
		return tar_result(writer, archive_write_finish_entry(writer->tar) == ARCHIVE_OK,
				  err);
	/* Some file systems tell only now that there was no space. */
	if (close(STEAL_FD(writer->file)) < 0)
		return err_sys(err, errno, "cannot write %s",
			       writer->written[strv_len(writer->written) - 1]);
	return 0;
}

int archive_writer_file(struct archive_writer *writer, const char *path, const void *data,
			size_t len, struct err *err)
{
	int r = archive_writer_begin(writer, path, (int64_t)len, err);

	if (r == 0 && len > 0)
		r = archive_writer_data(writer, data, len, err);
	return r < 0 ? r : archive_writer_end(writer, err);
}

int archive_writer_finish(struct archive_writer *writer, struct err *err)
{
	if (writer->dir >= 0)
		return 0;
	return tar_result(writer, archive_write_close(writer->tar) == ARCHIVE_OK, err);
}
