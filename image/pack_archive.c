/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pack_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "image/attributes.h"
#include "image/pack_data.h"
#include "image/pack_links.h"
#include "image/walk.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"

#define BLOCK_BYTES (64 << 10) /* that libarchive collects before it hands them on */
#define WHITEOUT ".wh."
#define OPAQUE_NAME ".wh..wh..opq"

struct packer {
	enum pack_kind kind;
	const char *above; /* PACK_COPY: all is in a directory of this name; "": in none */
	dev_t device;	   /* PACK_COPY: of the directory met last */
	const char *marks, *marks_end;
	struct walk walk;
	struct archive *tar;
	struct archive_entry *entry;
	struct compressor *out;
	struct err out_err; /* why no more could be written */
	bool discard;	    /* nothing more is to be written */
	struct pack_links links;
	struct buf attributes;
	struct buf name; /* of an entry as the archive has it */
	struct pack_data data;
	struct pack_result *result;
};

static void packer_release(struct packer *packer)
{
	/* libarchive would write the end of an archive even of one that failed. */
	packer->discard = true;
	archive_write_free(packer->tar);
	archive_entry_free(packer->entry);
	walk_release(&packer->walk);
	pack_links_release(&packer->links);
	pack_data_release(&packer->data);
	buf_release(&packer->attributes);
	buf_release(&packer->name);
}

static la_ssize_t put(struct archive *tar, void *data, const void *block, size_t len)
{
	struct packer *packer = data;

	if (packer->discard)
		return (la_ssize_t)len;
	if (compressor_write(packer->out, block, len, &packer->out_err) < 0) {
		archive_set_error(tar, EIO, "no more output");
		return -1;
	}
	packer->result->bytes += (int64_t)len;
	return (la_ssize_t)len;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot pack");
}

static int packer_open(struct packer *packer, int root, struct err *err)
{
	int r = walk_begin(&packer->walk, root, -1, PACK_PATH_MAX, err);

	if (r == 0)
		r = pack_data_open(&packer->data, err);
	if (r < 0)
		return r;
	packer->tar = archive_write_new();
	packer->entry = archive_entry_new();
	if (!packer->tar || !packer->entry)
		return no_memory(err);
	/* Docker and all who use Go read the one kind of attributes, libarchive both. */
	if (archive_write_set_format_pax(packer->tar) != ARCHIVE_OK ||
	    archive_write_set_options(packer->tar, "xattrheader=SCHILY") != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(packer->tar, BLOCK_BYTES) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(packer->tar, 1) != ARCHIVE_OK ||
	    archive_write_open(packer->tar, packer, NULL, put, NULL) != ARCHIVE_OK)
		return err_set(err, ERR_UNSUPPORTED, ENOSYS, "this libarchive cannot write tar");
	return 0;
}

static int tar_failed(const struct packer *packer, struct err *err)
{
	const char *why = archive_error_string(packer->tar);

	if (packer->out_err.kind != ERR_NONE) {
		*err = packer->out_err;
		return err_code(err);
	}
	if (archive_errno(packer->tar) == ENOMEM)
		return no_memory(err);
	return err_set(err, ERR_SYS, EIO, "cannot write the archive (%s)",
		       why ? why : "no reason given");
}

static int put_header(struct packer *packer, struct err *err)
{
	/* A warning is about a name that is not of this locale: its bytes are written. */
	if (archive_write_header(packer->tar, packer->entry) < ARCHIVE_WARN)
		return tar_failed(packer, err);
	packer->result->entries++;
	return 0;
}

/* --- what the parent knows of this path --- */

/* The mark of `path`, or 0. Marks come in the order of the walk. */
static char take_mark(struct packer *packer, const char *path)
{
	while (packer->marks < packer->marks_end) {
		char mark = packer->marks[0];
		int order = walk_compare(packer->marks + 1, path);

		if (order > 0)
			return 0;
		packer->marks += strlen(packer->marks) + 1;
		if (order == 0)
			return mark;
	}
	return 0;
}

/* --- headers --- */

/*
 * A fraction of a second has the sign of the time in tar, and is always added in struct timespec.
 * libarchive has no way to say a fraction of the last second before 1970: it is left out.
 */
static void set_time(struct archive_entry *entry, const struct timespec *time)
{
	time_t s = time->tv_sec;
	long ns = time->tv_nsec;

	if (s < 0 && ns > 0) {
		ns = s == -1 ? 0 : NS_PER_S - ns;
		s += s != -1;
	}
	archive_entry_set_mtime(entry, s, ns);
}

/* The name in the archive is that of the tree, below `above`; the root is "./". */
static int set_name(struct packer *packer, const char *directory, int directory_len,
		    const char *before, const char *name, struct err *err)
{
	const char *above = packer->above;

	buf_reset(&packer->name);
	if (above[0] && name[0])
		buf_addf(&packer->name, "%s/", above);
	buf_addf(&packer->name, "%.*s%s%s", directory_len, directory, before, name);
	if (buf_failed(&packer->name))
		return no_memory(err);
	archive_entry_copy_pathname(packer->entry, packer->name.data);
	return 0;
}

static int set_header(struct packer *packer, const struct walk_entry *at, struct err *err)
{
	struct archive_entry *entry = packer->entry;

	archive_entry_clear(entry);
	archive_entry_set_mode(entry, at->st.st_mode);
	archive_entry_set_uid(entry, at->st.st_uid);
	archive_entry_set_gid(entry, at->st.st_gid);
	set_time(entry, &at->st.st_mtim);
	if (S_ISCHR(at->st.st_mode) || S_ISBLK(at->st.st_mode)) {
		archive_entry_set_rdevmajor(entry, major(at->st.st_rdev));
		archive_entry_set_rdevminor(entry, minor(at->st.st_rdev));
	}
	if (at->path[0] == '\0')
		return set_name(packer, "", 0, packer->above[0] ? packer->above : "./", "", err);
	return set_name(packer, "", 0, "", at->path, err);
}

static int add_attributes(struct packer *packer, int fd, struct err *err)
{
	struct attribute attribute;
	size_t at = 0;
	int r = attributes_read(fd, &packer->attributes, &packer->result->attributes, err);

	while (r == 0 && attributes_next(&packer->attributes, &at, &attribute))
		archive_entry_xattr_add_entry(packer->entry, attribute.name, attribute.value,
					      attribute.len);
	return r;
}

/* Whether it shows what the kernel knows: nothing in there is a file that could be copied. */
static bool is_kernels(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	return fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
	       fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC;
}

static int refuse_kernels(struct err *err)
{
	err_set(err, ERR_UNSUPPORTED, EINVAL,
		"these are no files, but what the kernel shows as such");
	return err_hint(err, "read them inside: cman exec with cat");
}

/* --- entries of each type --- */

/* An empty file whose name says something: "a/.wh.b", "a/.wh..wh..opq". */
static int pack_sign(struct packer *packer, const char *directory, size_t len, const char *before,
		     const char *name, struct err *err)
{
	int r;

	archive_entry_clear(packer->entry);
	archive_entry_set_mode(packer->entry, S_IFREG | 0600);
	archive_entry_set_mtime(packer->entry, 0, 0);
	archive_entry_set_size(packer->entry, 0);
	r = set_name(packer, directory, (int)len, before, name, err);
	return r < 0 ? r : put_header(packer, err);
}

static int pack_dir(struct packer *packer, const struct walk_entry *at, bool opaque,
		    struct err *err)
{
	AUTO_CLOSE int fd =
		openat(at->dir, at->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? err_sys(err, errno, "cannot open it") : add_attributes(packer, fd, err);

	if (r == 0 && packer->kind == PACK_COPY && at->st.st_dev != packer->device) {
		packer->device = at->st.st_dev;
		if (is_kernels(fd) && at->path[0] == '\0')
			return refuse_kernels(err);
		if (is_kernels(fd)) {
			walk_skip(&packer->walk);
			packer->result->kernel++;
		}
	}
	if (r == 0)
		r = put_header(packer, err);
	if (r == 0 && opaque)
		r = pack_sign(packer, at->path, strlen(at->path), "/", OPAQUE_NAME, err);
	return r;
}

/* The first name as the archive has it. */
static int set_link(struct packer *packer, const char *first, struct err *err)
{
	buf_reset(&packer->name);
	buf_addf(&packer->name, "%s%s%s", packer->above, packer->above[0] ? "/" : "", first);
	if (buf_failed(&packer->name))
		return no_memory(err);
	archive_entry_copy_hardlink(packer->entry, packer->name.data);
	return 0;
}

/*
 * A file of several names may have been met by one of them: then a link to that is written, and 1
 * returned. Called when nothing can get in the way any more of writing the file itself.
 */
static int pack_link(struct packer *packer, const struct walk_entry *at, struct err *err)
{
	const char *first = NULL;
	int r = 0;

	if (at->st.st_nlink > 1)
		r = pack_links_meet(&packer->links, &at->st, at->path, &first, err);
	if (r < 0 || !first)
		return r;
	r = set_link(packer, first, err);
	if (r < 0)
		return r;
	archive_entry_set_size(packer->entry, 0);
	r = put_header(packer, err);
	return r < 0 ? r : 1;
}

static void note_change(struct packer *packer, const char *path)
{
	struct pack_result *result = packer->result;

	if (result->changed++ == 0)
		snprintf(result->changed_path, sizeof(result->changed_path), "%s", path);
}

static int copy_file(struct packer *packer, const struct walk_entry *at, int fd, struct err *err)
{
	bool changed = false;
	int r = add_attributes(packer, fd, err);

	if (r < 0)
		return r;
	pack_data_map(&packer->data, fd, &at->st, packer->entry);
	r = put_header(packer, err);
	if (r < 0)
		return r;
	r = pack_data_copy(&packer->data, packer->tar, &changed, err);
	if (changed)
		note_change(packer, at->path);
	return r == -EPIPE ? tar_failed(packer, err) : r;
}

static int pack_file(struct packer *packer, const struct walk_entry *at, struct err *err)
{
	AUTO_CLOSE int fd = openat(at->dir, at->name,
				   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct walk_entry now = *at;
	int r;

	if (fd < 0 || fstat(fd, &now.st) < 0)
		return err_sys(err, errno, "cannot open it");
	if (!S_ISREG(now.st.st_mode))
		return err_sys(err, ENOENT, "is no file any more");
	/* What is opened is what the header tells of. */
	r = set_header(packer, &now, err);
	if (r == 0)
		r = pack_link(packer, &now, err);
	if (r == 0)
		return copy_file(packer, &now, fd, err);
	return r < 0 ? r : 0;
}

static int pack_symlink(struct packer *packer, const struct walk_entry *at, struct err *err)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(at->dir, at->name, target, sizeof(target) - 1);
	int r;

	if (len < 0)
		return err_sys(err, errno, "cannot read it");
	r = pack_link(packer, at, err);
	if (r != 0)
		return r < 0 ? r : 0;
	target[len] = '\0';
	archive_entry_copy_symlink(packer->entry, target);
	return put_header(packer, err);
}

static int pack_by_type(struct packer *packer, const struct walk_entry *at, bool opaque,
			struct err *err)
{
	int r = set_header(packer, at, err);

	if (r < 0)
		return r;
	switch (at->st.st_mode & S_IFMT) {
	case S_IFDIR:
		return pack_dir(packer, at, opaque, err);
	case S_IFREG:
		return pack_file(packer, at, err);
	case S_IFLNK:
		return pack_symlink(packer, at, err);
	default:
		r = pack_link(packer, at, err);
		return r == 0 ? put_header(packer, err) : r < 0 ? r : 0;
	}
}

static int pack_entry(struct packer *packer, const struct walk_entry *at, struct err *err)
{
	char mark = take_mark(packer, at->path);
	int r;

	if (mark == PACK_OMIT) {
		walk_skip(&packer->walk);
		return 0;
	}
	if (S_ISSOCK(at->st.st_mode)) {
		packer->result->sockets++;
		return 0;
	}
	if (packer->kind == PACK_CHANGES) {
		if (S_ISCHR(at->st.st_mode) && at->st.st_rdev == makedev(0, 0))
			return pack_sign(packer, at->path, strlen(at->path) - strlen(at->name),
					 WHITEOUT, at->name, err);
		if (begins_with(at->name, WHITEOUT)) {
			err_set(err, ERR_INVALID, EINVAL,
				"no layer can hold a name that begins with " WHITEOUT);
			return err_hint(err, "in a layer such a name means that another is gone");
		}
	}
	r = pack_by_type(packer, at, mark == PACK_OPAQUE, err);
	/* Somebody was faster: gone, or replaced by something else. */
	if ((r == -ENOENT || r == -ELOOP || r == -ENOTDIR) && at->path[0]) {
		*err = (struct err)ERR_INIT;
		walk_skip(&packer->walk);
		packer->result->vanished++;
		return 0;
	}
	return r;
}

static int pack_single(struct packer *packer, const struct pack_what *what, struct err *err)
{
	struct walk_entry entry = {
		.path = "", .name = what->single, .dir = what->root, .beside = -1
	};
	AUTO_CLOSE int fd = openat(what->root, what->single, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &entry.st) < 0)
		return err_sys(err, errno, "cannot open it");
	if (is_kernels(fd))
		return refuse_kernels(err);
	if (S_ISSOCK(entry.st.st_mode))
		return err_set(err, ERR_UNSUPPORTED, EINVAL, "a socket cannot be copied");
	return pack_entry(packer, &entry, err);
}

static int pack_all(struct packer *packer, struct err *err)
{
	struct walk_entry entry;
	int r;

	while ((r = walk_next(&packer->walk, &entry, err)) > 0) {
		r = pack_entry(packer, &entry, err);
		/* What is copied has been named by who wants it. */
		if (r < 0 && packer->out_err.kind == ERR_NONE &&
		    (packer->kind != PACK_COPY || entry.path[0]))
			err_wrap(err, "%s%s", packer->kind == PACK_COPY ? "" : "/", entry.path);
		if (r < 0)
			break;
	}
	return r;
}

int pack_archive(const struct pack_what *what, struct compressor *out, struct pack_result *result,
		 struct err *err)
{
	struct packer packer __attribute__((cleanup(packer_release))) = {
		.kind = what->kind,
		.above = what->name ? what->name : "",
		.marks = what->marks,
		.marks_end = what->marks + what->marks_len,
		.out = out,
		.out_err = ERR_INIT,
		.result = result,
	};
	int r = packer_open(&packer, what->root, err);

	if (r == 0)
		r = what->single ? pack_single(&packer, what, err) : pack_all(&packer, err);
	if (r < 0)
		return r;
	result->vanished += packer.walk.vanished;
	return archive_write_close(packer.tar) == ARCHIVE_OK ? 0 : tar_failed(&packer, err);
}
