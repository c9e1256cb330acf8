/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/archive_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/fd.h"
#include "tests/unit/unpack_fd.h"

/* --- an archive being written --- */

void made_begin(struct made *made, int filter)
{
	*made = (struct made){ archive_write_new(), calloc(1, ARCHIVE_MAX), 0 };
	assert_int_equal(archive_write_set_format_pax(made->writer), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(made->writer, "xattrheader=SCHILY"), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(made->writer, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_in_last_block(made->writer, 1), ARCHIVE_OK);
	assert_int_equal(
		archive_write_open_memory(made->writer, made->bytes, ARCHIVE_MAX, &made->len),
		ARCHIVE_OK);
}

void made_end(struct made *made)
{
	assert_int_equal(archive_write_close(made->writer), ARCHIVE_OK);
	archive_write_free(made->writer);
}

struct archive_entry *entry_new(const char *path, mode_t mode)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_uid(entry, geteuid());
	archive_entry_set_gid(entry, getegid());
	archive_entry_set_mtime(entry, MTIME, 5);
	return entry;
}

void made_put(struct made *made, struct archive_entry *entry, const char *data)
{
	if (data)
		archive_entry_set_size(entry, (int64_t)strlen(data));
	/* A warning is about a name that is not of this locale. */
	assert_in_range(archive_write_header(made->writer, entry) - ARCHIVE_WARN, 0, -ARCHIVE_WARN);
	if (data)
		assert_int_equal(archive_write_data(made->writer, data, strlen(data)),
				 strlen(data));
	archive_entry_free(entry);
}

void made_file(struct made *made, const char *path, const char *data)
{
	made_put(made, entry_new(path, S_IFREG | 0644), data);
}

void made_dir(struct made *made, const char *path, mode_t mode)
{
	made_put(made, entry_new(path, S_IFDIR | mode), NULL);
}

void made_symlink(struct made *made, const char *path, const char *target)
{
	struct archive_entry *entry = entry_new(path, S_IFLNK | 0777);

	archive_entry_set_symlink(entry, target);
	made_put(made, entry, NULL);
}

void made_hardlink(struct made *made, const char *path, const char *target)
{
	struct archive_entry *entry = entry_new(path, S_IFREG | 0644);

	archive_entry_set_hardlink(entry, target);
	made_put(made, entry, NULL);
}

/* --- a directory to unpack into --- */

int target_begin(void **state)
{
	struct target *target = calloc(1, sizeof(*target));

	target->job = (struct unpack_job){ .limits = UNPACK_LIMITS_DEFAULT };
	strcpy(target->path, "/tmp/cman-test-unpack.XXXXXX");
	umask(0);
	if (!mkdtemp(target->path))
		return -1;
	target->parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	target->fd = open(target->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = target;
	return target->parent < 0 || target->fd < 0;
}

void target_empty(struct target *target)
{
	struct err err = ERR_INIT;

	close(target->fd);
	assert_int_equal(fd_remove_tree(target->parent, strrchr(target->path, '/') + 1, &err), 0);
	assert_int_equal(mkdir(target->path, 0755), 0);
	target->fd = open(target->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	target->err = (struct err)ERR_INIT;
}

int target_end(void **state)
{
	struct target *target = *state;
	struct err err = ERR_INIT;
	int r = fd_remove_tree(target->parent, strrchr(target->path, '/') + 1, &err);

	close(target->parent);
	close(target->fd);
	free(target);
	return r;
}

int target_unpack_bytes(struct target *target, const void *bytes, size_t len)
{
	AUTO_BUF struct buf marks = BUF_INIT;
	int r, fd = memfd_create("archive", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	r = unpack_fd(fd, target->fd, &target->job, &marks, &target->result, target->diff_id,
		      &target->err);
	close(fd);
	target->marks[0] = '\0';
	for (size_t at = 0; r == 0 && at < marks.len; at += strlen(marks.data + at) + 1) {
		size_t used = strlen(target->marks);

		snprintf(target->marks + used, sizeof(target->marks) - used, "%s%c %s",
			 at > 0 ? ", " : "", marks.data[at], marks.data + at + 1);
	}
	return r;
}

int target_unpack(struct target *target, struct made *made)
{
	int r;

	made_end(made);
	r = target_unpack_bytes(target, made->bytes, made->len);
	free(made->bytes);
	if (r < 0)
		print_message("%s\n", target->err.text);
	return r;
}

struct stat target_look(struct target *target, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(target->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

void assert_holds(struct target *target, const char *path, const char *text)
{
	struct err err = ERR_INIT;
	char *data;
	size_t len;

	assert_int_equal(fd_read_file(target->fd, path, 1000, &data, &len, &err), 0);
	assert_string_equal(data, text);
	free(data);
}
