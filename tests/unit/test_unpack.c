/* SPDX-License-Identifier: Apache-2.0 */
/* Archives into trees: image/unpack.c, image/tree.c, image/inflate.c. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/tree.h"
#include "image/unpack.h"
#include "store/base/fd.h"

#define MTIME 1234567890
#define ARCHIVE_MAX (1 << 20)

/* --- an archive being written --- */

struct made {
	struct archive *writer;
	char *bytes;
	size_t len;
};

static void begin(struct made *made, int filter)
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

static void end(struct made *made)
{
	assert_int_equal(archive_write_close(made->writer), ARCHIVE_OK);
	archive_write_free(made->writer);
}

static struct archive_entry *entry_new(const char *path, mode_t mode)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_uid(entry, geteuid());
	archive_entry_set_gid(entry, getegid());
	archive_entry_set_mtime(entry, MTIME, 5);
	return entry;
}

static void put(struct made *made, struct archive_entry *entry, const char *data)
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

static void put_file(struct made *made, const char *path, const char *data)
{
	put(made, entry_new(path, S_IFREG | 0644), data);
}

static void put_dir(struct made *made, const char *path, mode_t mode)
{
	put(made, entry_new(path, S_IFDIR | mode), NULL);
}

static void put_symlink(struct made *made, const char *path, const char *target)
{
	struct archive_entry *entry = entry_new(path, S_IFLNK | 0777);

	archive_entry_set_symlink(entry, target);
	put(made, entry, NULL);
}

static void put_hardlink(struct made *made, const char *path, const char *target)
{
	struct archive_entry *entry = entry_new(path, S_IFREG | 0644);

	archive_entry_set_hardlink(entry, target);
	put(made, entry, NULL);
}

/* --- a directory to unpack into --- */

struct target {
	char path[64];
	int parent;
	int fd;
	struct unpack_result result;
	struct err err;
};

static int target_begin(void **state)
{
	struct target *target = calloc(1, sizeof(*target));

	strcpy(target->path, "/tmp/cman-test-unpack.XXXXXX");
	umask(0);
	if (!mkdtemp(target->path))
		return -1;
	target->parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	target->fd = open(target->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = target;
	return target->parent < 0 || target->fd < 0;
}

static void target_empty(struct target *target)
{
	struct err err = ERR_INIT;

	close(target->fd);
	assert_int_equal(fd_remove_tree(target->parent, strrchr(target->path, '/') + 1, &err), 0);
	assert_int_equal(mkdir(target->path, 0755), 0);
	target->fd = open(target->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	target->err = (struct err)ERR_INIT;
}

static int target_end(void **state)
{
	struct target *target = *state;
	struct err err = ERR_INIT;
	int r = fd_remove_tree(target->parent, strrchr(target->path, '/') + 1, &err);

	close(target->parent);
	close(target->fd);
	free(target);
	return r;
}

static int unpack_bytes(struct target *target, const void *bytes, size_t len,
			const struct unpack_limits *limits)
{
	static const struct unpack_limits generous = UNPACK_LIMITS_DEFAULT;
	const struct unpack_job job = { .limits = limits ? *limits : generous };
	AUTO_BUF struct buf marks = BUF_INIT;
	int r, fd = memfd_create("archive", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	r = unpack_archive(fd, target->fd, &job, &marks, &target->result, &target->err);
	close(fd);
	return r;
}

static int unpack(struct target *target, struct made *made)
{
	int r;

	end(made);
	r = unpack_bytes(target, made->bytes, made->len, NULL);
	free(made->bytes);
	if (r < 0)
		print_message("%s\n", target->err.text);
	return r;
}

static struct stat look(struct target *target, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(target->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static void assert_holds(struct target *target, const char *path, const char *text)
{
	struct err err = ERR_INIT;
	char *data;
	size_t len;

	assert_int_equal(fd_read_file(target->fd, path, 1000, &data, &len, &err), 0);
	assert_string_equal(data, text);
	free(data);
}

/* --- tests --- */

static void test_paths(void **state)
{
	static const char *const good[][2] = {
		{ "a", "a" },
		{ "./a", "a" },
		{ "/a", "a" },
		{ "//a//b/", "a/b" },
		{ "./", "" },
		{ ".", "" },
		{ "/", "" },
		{ "a/./b", "a/b" },
		{ "..a/b..", "..a/b.." },
		{ "...", "..." },
		{ "a/.hidden", "a/.hidden" },
	};
	static const char *const bad[] = { "", "..", "a/..", "../a", "a/../b", "/../a", "./.." };
	static const struct tree_limits limits = { .path_bytes = 20, .depth = 4 };
	AUTO_BUF struct buf path = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(tree_clean_path(good[i][0], &limits, &path, &err), 0);
		assert_string_equal(path.data, good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(tree_clean_path(bad[i], &limits, &path, &err), -EINVAL);
	assert_int_equal(tree_clean_path("/1/34/678901234567890", &limits, &path, &err), 0);
	assert_int_equal(tree_clean_path("1/34/6789012345678901", &limits, &path, &err),
			 -ENAMETOOLONG);
	assert_string_equal(err.text, "the name is longer than the limit of 20 bytes");
	assert_int_equal(tree_clean_path("a/b/c/d", &limits, &path, &err), 0);
	assert_int_equal(tree_clean_path("a/b//c/./d/e", &limits, &path, &err), -ENAMETOOLONG);
	assert_string_equal(err.text, "the name is nested deeper than the limit of 4");
}

static void put_all_kinds(struct made *made)
{
	put_dir(made, "./", 0750);
	put_dir(made, "./usr/lib/", 02755);
	put_symlink(made, "lib", "usr/lib");
	put_file(made, "lib/through", "through a link");
	put_file(made, "a/b/c", "deep");
	put(made, entry_new("suid", S_IFREG | 06755), "s");
	put_dir(made, "tmp", 01777);
	put_hardlink(made, "hard", "lib/through");
	put(made, entry_new("fifo", S_IFIFO | 0600), NULL);
	put_file(made, "empty", "");
	put_file(made, "n\xc3\xa4me-e\xcc\x81", "not normalised");
	put_file(made, "latin-\xe4", "not UTF-8");
}

static void assert_all_kinds(struct target *target)
{
	char link[16] = "";

	assert_int_equal(look(target, ".").st_mode, S_IFDIR | 0750);
	assert_int_equal(look(target, ".").st_mtime, MTIME);
	assert_int_equal(look(target, "usr/lib").st_mode, S_IFDIR | 02755);
	assert_int_equal(look(target, "usr/lib").st_mtime, MTIME);
	assert_int_equal(look(target, "usr").st_mode, S_IFDIR | 0755);
	assert_int_equal(readlinkat(target->fd, "lib", link, sizeof(link)), 7);
	assert_string_equal(link, "usr/lib");
	assert_int_equal(look(target, "lib").st_mtime, MTIME);
	assert_holds(target, "usr/lib/through", "through a link");
	assert_int_equal(look(target, "usr/lib/through").st_mode, S_IFREG | 0644);
	assert_int_equal(look(target, "usr/lib/through").st_mtim.tv_sec, MTIME);
	assert_int_equal(look(target, "usr/lib/through").st_mtim.tv_nsec, 5);
	assert_int_equal(look(target, "usr/lib/through").st_ino, look(target, "hard").st_ino);
	assert_holds(target, "a/b/c", "deep");
	assert_int_equal(look(target, "suid").st_mode, S_IFREG | 06755);
	assert_int_equal(look(target, "tmp").st_mode, S_IFDIR | 01777);
	assert_int_equal(look(target, "fifo").st_mode, S_IFIFO | 0600);
	assert_int_equal(look(target, "empty").st_size, 0);
	assert_holds(target, "n\xc3\xa4me-e\xcc\x81", "not normalised");
	assert_holds(target, "latin-\xe4", "not UTF-8");
	assert_int_equal(target->result.entries, 12);
}

/* The same tree and the same diff ID, whatever it was packed with. */
static void test_all_kinds(void **state)
{
	static const int filters[] = { ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP,
				       ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_XZ };
	struct target *target = *state;
	char diff_id[DIGEST_HEX_LEN + 1] = "";

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct made made;

		target_empty(target);
		begin(&made, filters[i]);
		put_all_kinds(&made);
		assert_int_equal(unpack(target, &made), 0);
		assert_all_kinds(target);
		if (i == 0)
			strcpy(diff_id, target->result.diff_id);
		assert_string_equal(target->result.diff_id, diff_id);
	}
}

static void test_owners_and_devices(void **state)
{
	struct target *target = *state;
	struct archive_entry *entry;
	struct made made;

	if (geteuid() != 0)
		skip();
	begin(&made, ARCHIVE_FILTER_NONE);
	entry = entry_new("f", S_IFREG | 04755);
	archive_entry_set_uid(entry, 1000);
	archive_entry_set_gid(entry, 50);
	put(&made, entry, "x");
	entry = entry_new("l", S_IFLNK | 0777);
	archive_entry_set_symlink(entry, "/nowhere");
	archive_entry_set_uid(entry, 7);
	put(&made, entry, NULL);
	/*
	 * A file in a directory with the set-group-ID bit has the group of its entry all the same.
	 */
	entry = entry_new("d", S_IFDIR | 02755);
	archive_entry_set_gid(entry, 50);
	put(&made, entry, NULL);
	put_file(&made, "d/f", "x");
	entry = entry_new("null", S_IFCHR | 0666);
	archive_entry_set_rdev(entry, makedev(1, 3));
	put(&made, entry, NULL);
	assert_int_equal(unpack(target, &made), 0);
	assert_int_equal(look(target, "f").st_uid, 1000);
	assert_int_equal(look(target, "f").st_gid, 50);
	assert_int_equal(look(target, "f").st_mode, S_IFREG | 04755);
	assert_int_equal(look(target, "l").st_uid, 7);
	assert_int_equal(look(target, "d").st_mode, S_IFDIR | 02755);
	assert_int_equal(look(target, "d").st_gid, 50);
	assert_int_equal(look(target, "d/f").st_gid, 0);
	if (target->result.devices == 0) {
		assert_int_equal(look(target, "null").st_mode, S_IFCHR | 0666);
		assert_int_equal(look(target, "null").st_rdev, makedev(1, 3));
	}
}

static void test_later_replaces_earlier(void **state)
{
	struct target *target = *state;
	struct made made;

	begin(&made, ARCHIVE_FILTER_NONE);
	put_file(&made, "f", "first, and longer");
	put_file(&made, "f", "second");
	put_dir(&made, "d", 0755);
	put_file(&made, "d/x", "x");
	put_file(&made, "d", "was a directory");
	put_file(&made, "g", "g");
	put_dir(&made, "g", 0700);
	put_file(&made, "g/y", "was a file");
	put_dir(&made, "real", 0755);
	put_symlink(&made, "s", "real");
	put_file(&made, "s/1", "1");
	put_dir(&made, "s", 0755);
	put_file(&made, "s/2", "2");
	put_dir(&made, "kept", 0755);
	put_file(&made, "kept/z", "z");
	put_dir(&made, "kept", 0711);
	put_symlink(&made, "kept/l", "a");
	put_symlink(&made, "kept/l", "b");
	assert_int_equal(unpack(target, &made), 0);
	assert_holds(target, "f", "second");
	assert_holds(target, "d", "was a directory");
	assert_holds(target, "g/y", "was a file");
	assert_int_equal(look(target, "g").st_mode, S_IFDIR | 0700);
	assert_holds(target, "real/1", "1");
	assert_holds(target, "s/2", "2");
	assert_int_equal(faccessat(target->fd, "real/2", F_OK, 0), -1);
	assert_holds(target, "kept/z", "z");
	assert_int_equal(look(target, "kept").st_mode, S_IFDIR | 0711);
}

/* Links that would lead out lead to the same place inside, and ".." is refused. */
static void test_nothing_leads_out(void **state)
{
	struct target *target = *state;
	struct made made;

	begin(&made, ARCHIVE_FILTER_NONE);
	put_dir(&made, "etc", 0755);
	put_symlink(&made, "abs", "/etc");
	put_symlink(&made, "up", "../../../../../../etc");
	put_file(&made, "abs/one", "inside");
	put_file(&made, "up/two", "inside");
	put_file(&made, "/etc/three", "inside");
	put_hardlink(&made, "four", "/abs/one");
	assert_int_equal(unpack(target, &made), 0);
	assert_holds(target, "etc/one", "inside");
	assert_holds(target, "etc/two", "inside");
	assert_holds(target, "etc/three", "inside");
	assert_holds(target, "four", "inside");
}

static void assert_refused(struct target *target, struct made *made, const char *text)
{
	target->err = (struct err)ERR_INIT;
	end(made);
	assert_true(unpack_bytes(target, made->bytes, made->len, NULL) < 0);
	assert_string_equal(target->err.text, text);
	free(made->bytes);
	target_empty(target);
}

static void test_refused_entries(void **state)
{
	struct target *target = *state;
	struct made made;

	begin(&made, ARCHIVE_FILTER_NONE);
	put_file(&made, "a/../../b", "x");
	assert_refused(target, &made, "a/../../b: the name has a '..' component");
	begin(&made, ARCHIVE_FILTER_NONE);
	put_hardlink(&made, "h", "../../etc/passwd");
	assert_refused(target, &made,
		       "h: hard link to ../../etc/passwd: the name has a '..' component");
	begin(&made, ARCHIVE_FILTER_NONE);
	put_hardlink(&made, "h", "missing");
	assert_refused(target, &made,
		       "h: hard link to missing: the archive has no such file before this entry");
	begin(&made, ARCHIVE_FILTER_NONE);
	put_file(&made, "h", "x");
	put_hardlink(&made, "h", "./h");
	assert_refused(target, &made, "h: is a hard link to itself");
	begin(&made, ARCHIVE_FILTER_NONE);
	put_symlink(&made, "loop", "loop");
	put_file(&made, "loop/x", "x");
	assert_refused(target, &made,
		       "loop/x: cannot open its directory: Too many levels of symbolic links");
	begin(&made, ARCHIVE_FILTER_NONE);
	put_file(&made, "f", "x");
	put_file(&made, "f/x", "x");
	assert_refused(target, &made, "f/x: cannot open its directory: Not a directory");
	begin(&made, ARCHIVE_FILTER_NONE);
	put_file(&made, ".", "x");
	assert_refused(target, &made, ".: the root itself has to be a directory");
}

static void test_attributes(void **state)
{
	struct target *target = *state;
	struct archive_entry *entry = entry_new("f", S_IFREG | 0644);
	char value[8] = "", path[128];
	struct made made;

	begin(&made, ARCHIVE_FILTER_NONE);
	archive_entry_xattr_add_entry(entry, "user.kept", "yes", 3);
	archive_entry_xattr_add_entry(entry, "user.overlay.opaque", "y", 1);
	archive_entry_xattr_add_entry(entry, "trusted.overlay.opaque", "y", 1);
	archive_entry_xattr_add_entry(entry, "security.selinux", "x", 1);
	put(&made, entry, "x");
	entry = entry_new("d", S_IFDIR | 0755);
	archive_entry_xattr_add_entry(entry, "trusted.overlay.opaque", "y", 1);
	archive_entry_xattr_add_entry(entry, "trusted.overlay.redirect", "/", 1);
	put(&made, entry, NULL);
	assert_int_equal(unpack(target, &made), 0);
	snprintf(path, sizeof(path), "%s/d", target->path);
	assert_int_equal(listxattr(path, NULL, 0), 0);
	snprintf(path, sizeof(path), "%s/f", target->path);
	if (setxattr(path, "user.test", "", 0, 0) < 0 && errno == ENOTSUP)
		skip();
	removexattr(path, "user.test");
	assert_int_equal(getxattr(path, "user.kept", value, sizeof(value)), 3);
	assert_string_equal(value, "yes");
	assert_int_equal(listxattr(path, NULL, 0), sizeof("user.kept"));
	assert_int_equal(target->result.attributes, 5);
}

static void test_holes(void **state)
{
	struct target *target = *state;
	struct archive_entry *entry = entry_new("sparse", S_IFREG | 0644);
	char block[4096];
	struct made made;

	begin(&made, ARCHIVE_FILTER_NONE);
	archive_entry_set_size(entry, 1 << 20);
	archive_entry_sparse_add_entry(entry, 65536, 4096);
	memset(block, 'x', sizeof(block));
	assert_int_equal(archive_write_header(made.writer, entry), ARCHIVE_OK);
	/* The writer takes the data with its holes, and leaves these out. */
	for (int i = 0; i < 1 << 20; i += (int)sizeof(block))
		assert_int_equal(archive_write_data(made.writer, block, sizeof(block)),
				 sizeof(block));
	archive_entry_free(entry);
	assert_int_equal(unpack(target, &made), 0);
	assert_int_equal(look(target, "sparse").st_size, 1 << 20);
	assert_true(look(target, "sparse").st_blocks < 1024);
	assert_int_equal(target->result.size, 4096);
}

static void test_limits(void **state)
{
	struct unpack_limits few_entries = UNPACK_LIMITS_DEFAULT, few_bytes = few_entries;
	struct target *target = *state;
	struct made made;

	few_entries.entries = 2;
	few_bytes.bytes = 3000;
	begin(&made, ARCHIVE_FILTER_GZIP);
	put_file(&made, "a", "a");
	put_file(&made, "b", "b");
	put_file(&made, "c", "c");
	end(&made);
	assert_int_equal(unpack_bytes(target, made.bytes, made.len, &few_entries), -EFBIG);
	assert_string_equal(target->err.text, "the archive has more than the limit of 2 entries");
	target_empty(target);
	assert_int_equal(unpack_bytes(target, made.bytes, made.len, &few_bytes), -EFBIG);
	assert_string_equal(target->err.text,
			    "the archive unpacks to more than the limit of 3000 bytes");
	free(made.bytes);
}

/* However much of it is missing, an archive that was cut is never taken for a whole one. */
static void test_truncated(void **state)
{
	static const int filters[] = { ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP,
				       ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_XZ };
	struct target *target = *state;

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct made made;
		size_t whole, step;

		begin(&made, filters[i]);
		put_file(&made, "a", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
		put_file(&made, "b", "b");
		end(&made);
		/* Of the two blocks of zeros at the end of a tar archive the first is enough. */
		whole = filters[i] == ARCHIVE_FILTER_NONE ? made.len - 1023 : made.len;
		step = filters[i] == ARCHIVE_FILTER_NONE ? 64 : 1;
		for (size_t len = 0; len + 1 < whole; len += step) {
			target->err = (struct err)ERR_INIT;
			assert_true(unpack_bytes(target, made.bytes, len, NULL) < 0);
			assert_int_equal(target->err.kind, ERR_INVALID);
		}
		assert_int_equal(unpack_bytes(target, made.bytes, made.len, NULL), 0);
		free(made.bytes);
	}
}

static void assert_bytes_refused(struct target *target, const char *bytes, size_t len,
				 const char *text)
{
	assert_true(unpack_bytes(target, bytes, len, NULL) < 0);
	assert_int_equal(target->err.kind, ERR_INVALID);
	assert_string_equal(target->err.text, text);
	target_empty(target);
}

static void test_garbage(void **state)
{
	struct target *target = *state;
	char noise[2048];
	struct made made;

	assert_bytes_refused(target, "", 0, "the file is empty");
	memset(noise, 'x', sizeof(noise));
	assert_bytes_refused(target, noise, sizeof(noise), "this is not a tar archive");
	assert_string_equal(target->err.text, "");
	begin(&made, ARCHIVE_FILTER_NONE);
	put_file(&made, "a", "a");
	end(&made);
	memcpy(made.bytes + made.len, "garbage", 7);
	assert_bytes_refused(target, made.bytes, made.len + 7,
			     "the archive has garbage after its end");
	/* padding is no garbage */
	memset(made.bytes + made.len, 0, 7);
	assert_int_equal(unpack_bytes(target, made.bytes, made.len + 7, NULL), 0);
	free(made.bytes);
	begin(&made, ARCHIVE_FILTER_GZIP);
	put_file(&made, "a", "a");
	end(&made);
	memcpy(made.bytes + made.len, "garbage", 7);
	target_empty(target);
	assert_bytes_refused(target, made.bytes, made.len + 7,
			     "the archive has garbage after the compressed data");
	memset(made.bytes + made.len, 0, 7);
	assert_int_equal(unpack_bytes(target, made.bytes, made.len + 7, NULL), 0);
	free(made.bytes);
}

/* What is wrong is told at once, though more may come: the thread that reads ahead is stopped. */
static void test_does_not_wait_for_the_rest(void **state)
{
	static const struct unpack_job job = { .limits = UNPACK_LIMITS_DEFAULT };
	AUTO_BUF struct buf marks = BUF_INIT;
	struct target *target = *state;
	static char noise[700000];
	int fds[2];

	memset(noise, 'x', sizeof(noise));
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	if (fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) < 1 << 20)
		skip();
	assert_int_equal(write(fds[1], noise, sizeof(noise)), sizeof(noise));
	assert_int_equal(
		unpack_archive(fds[0], target->fd, &job, &marks, &target->result, &target->err),
		-EBADMSG);
	assert_string_equal(target->err.text, "this is not a tar archive");
	close(fds[0]);
	close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, target_begin, target_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		TEST(test_all_kinds),
		TEST(test_owners_and_devices),
		TEST(test_later_replaces_earlier),
		TEST(test_nothing_leads_out),
		TEST(test_refused_entries),
		TEST(test_attributes),
		TEST(test_holes),
		TEST(test_limits),
		TEST(test_truncated),
		TEST(test_garbage),
		TEST(test_does_not_wait_for_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
