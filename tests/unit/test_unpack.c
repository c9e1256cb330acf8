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
#include "tests/unit/archive_fixture.h"
#include "tests/unit/unpack_fd.h"

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
	made_dir(made, "./", 0750);
	made_dir(made, "./usr/lib/", 02755);
	made_symlink(made, "lib", "usr/lib");
	made_file(made, "lib/through", "through a link");
	made_file(made, "a/b/c", "deep");
	made_put(made, entry_new("suid", S_IFREG | 06755), "s");
	made_dir(made, "tmp", 01777);
	made_hardlink(made, "hard", "lib/through");
	made_put(made, entry_new("fifo", S_IFIFO | 0600), NULL);
	made_file(made, "empty", "");
	made_file(made, "n\xc3\xa4me-e\xcc\x81", "not normalised");
	made_file(made, "latin-\xe4", "not UTF-8");
}

static void assert_all_kinds(struct target *target)
{
	char link[16] = "";

	assert_int_equal(target_look(target, ".").st_mode, S_IFDIR | 0750);
	assert_int_equal(target_look(target, ".").st_mtime, MTIME);
	assert_int_equal(target_look(target, "usr/lib").st_mode, S_IFDIR | 02755);
	assert_int_equal(target_look(target, "usr/lib").st_mtime, MTIME);
	assert_int_equal(target_look(target, "usr").st_mode, S_IFDIR | 0755);
	assert_int_equal(readlinkat(target->fd, "lib", link, sizeof(link)), 7);
	assert_string_equal(link, "usr/lib");
	assert_int_equal(target_look(target, "lib").st_mtime, MTIME);
	assert_holds(target, "usr/lib/through", "through a link");
	assert_int_equal(target_look(target, "usr/lib/through").st_mode, S_IFREG | 0644);
	assert_int_equal(target_look(target, "usr/lib/through").st_mtim.tv_sec, MTIME);
	assert_int_equal(target_look(target, "usr/lib/through").st_mtim.tv_nsec, 5);
	assert_int_equal(target_look(target, "usr/lib/through").st_ino,
			 target_look(target, "hard").st_ino);
	assert_holds(target, "a/b/c", "deep");
	assert_int_equal(target_look(target, "suid").st_mode, S_IFREG | 06755);
	assert_int_equal(target_look(target, "tmp").st_mode, S_IFDIR | 01777);
	assert_int_equal(target_look(target, "fifo").st_mode, S_IFIFO | 0600);
	assert_int_equal(target_look(target, "empty").st_size, 0);
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
		made_begin(&made, filters[i]);
		put_all_kinds(&made);
		assert_int_equal(target_unpack(target, &made), 0);
		assert_all_kinds(target);
		if (i == 0)
			strcpy(diff_id, target->diff_id);
		assert_string_equal(target->diff_id, diff_id);
	}
}

static void test_owners_and_devices(void **state)
{
	struct target *target = *state;
	struct archive_entry *entry;
	struct made made;

	if (geteuid() != 0)
		skip();
	made_begin(&made, ARCHIVE_FILTER_NONE);
	entry = entry_new("f", S_IFREG | 04755);
	archive_entry_set_uid(entry, 1000);
	archive_entry_set_gid(entry, 50);
	made_put(&made, entry, "x");
	entry = entry_new("l", S_IFLNK | 0777);
	archive_entry_set_symlink(entry, "/nowhere");
	archive_entry_set_uid(entry, 7);
	made_put(&made, entry, NULL);
	/*
	 * A file in a directory with the set-group-ID bit has the group of its entry all the same.
	 */
	entry = entry_new("d", S_IFDIR | 02755);
	archive_entry_set_gid(entry, 50);
	made_put(&made, entry, NULL);
	made_file(&made, "d/f", "x");
	entry = entry_new("null", S_IFCHR | 0666);
	archive_entry_set_rdev(entry, makedev(1, 3));
	made_put(&made, entry, NULL);
	assert_int_equal(target_unpack(target, &made), 0);
	assert_int_equal(target_look(target, "f").st_uid, 1000);
	assert_int_equal(target_look(target, "f").st_gid, 50);
	assert_int_equal(target_look(target, "f").st_mode, S_IFREG | 04755);
	assert_int_equal(target_look(target, "l").st_uid, 7);
	assert_int_equal(target_look(target, "d").st_mode, S_IFDIR | 02755);
	assert_int_equal(target_look(target, "d").st_gid, 50);
	assert_int_equal(target_look(target, "d/f").st_gid, 0);
	if (target->result.devices == 0) {
		assert_int_equal(target_look(target, "null").st_mode, S_IFCHR | 0666);
		assert_int_equal(target_look(target, "null").st_rdev, makedev(1, 3));
	}
}

static void test_later_replaces_earlier(void **state)
{
	struct target *target = *state;
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "f", "first, and longer");
	made_file(&made, "f", "second");
	made_dir(&made, "d", 0755);
	made_file(&made, "d/x", "x");
	made_file(&made, "d", "was a directory");
	made_file(&made, "g", "g");
	made_dir(&made, "g", 0700);
	made_file(&made, "g/y", "was a file");
	made_dir(&made, "real", 0755);
	made_symlink(&made, "s", "real");
	made_file(&made, "s/1", "1");
	made_dir(&made, "s", 0755);
	made_file(&made, "s/2", "2");
	made_dir(&made, "kept", 0755);
	made_file(&made, "kept/z", "z");
	made_dir(&made, "kept", 0711);
	made_symlink(&made, "kept/l", "a");
	made_symlink(&made, "kept/l", "b");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_holds(target, "f", "second");
	assert_holds(target, "d", "was a directory");
	assert_holds(target, "g/y", "was a file");
	assert_int_equal(target_look(target, "g").st_mode, S_IFDIR | 0700);
	assert_holds(target, "real/1", "1");
	assert_holds(target, "s/2", "2");
	assert_int_equal(faccessat(target->fd, "real/2", F_OK, 0), -1);
	assert_holds(target, "kept/z", "z");
	assert_int_equal(target_look(target, "kept").st_mode, S_IFDIR | 0711);
}

/* Links that would lead out lead to the same place inside, and ".." is refused. */
static void test_nothing_leads_out(void **state)
{
	struct target *target = *state;
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, "etc", 0755);
	made_symlink(&made, "abs", "/etc");
	made_symlink(&made, "up", "../../../../../../etc");
	made_file(&made, "abs/one", "inside");
	made_file(&made, "up/two", "inside");
	made_file(&made, "/etc/three", "inside");
	made_hardlink(&made, "four", "/abs/one");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_holds(target, "etc/one", "inside");
	assert_holds(target, "etc/two", "inside");
	assert_holds(target, "etc/three", "inside");
	assert_holds(target, "four", "inside");
}

static void assert_refused(struct target *target, struct made *made, const char *text)
{
	target->err = (struct err)ERR_INIT;
	made_end(made);
	assert_true(target_unpack_bytes(target, made->bytes, made->len) < 0);
	assert_string_equal(target->err.text, text);
	assert_int_equal(target->err.kind, ERR_INVALID);
	free(made->bytes);
	target_empty(target);
}

static void test_refused_entries(void **state)
{
	char long_name[300], long_text[400];
	struct target *target = *state;
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "a/../../b", "x");
	assert_refused(target, &made, "a/../../b: the name has a '..' component");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_hardlink(&made, "h", "../../etc/passwd");
	assert_refused(target, &made,
		       "h: hard link to ../../etc/passwd: the name has a '..' component");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_hardlink(&made, "h", "missing");
	assert_refused(target, &made,
		       "h: hard link to missing: the archive has no such file before this entry");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "h", "x");
	made_hardlink(&made, "h", "./h");
	assert_refused(target, &made, "h: is a hard link to itself");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_symlink(&made, "loop", "loop");
	made_file(&made, "loop/x", "x");
	assert_refused(target, &made,
		       "loop/x: cannot open its directory: Too many levels of symbolic links");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "f", "x");
	made_file(&made, "f/x", "x");
	assert_refused(target, &made, "f/x: cannot open its directory: Not a directory");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_symlink(&made, "f", "g");
	made_file(&made, "g", "x");
	made_file(&made, "f/x", "x");
	assert_refused(target, &made, "f/x: cannot open its directory: Not a directory");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	memset(long_name, 'n', 256);
	long_name[256] = '\0';
	made_file(&made, long_name, "x");
	snprintf(long_text, sizeof(long_text), "%s: cannot create: File name too long", long_name);
	assert_refused(target, &made, long_text);
	made_begin(&made, ARCHIVE_FILTER_NONE);
	strcat(long_name, "/x");
	made_file(&made, long_name, "x");
	snprintf(long_text, sizeof(long_text), "%s: cannot open its directory: File name too long",
		 long_name);
	assert_refused(target, &made, long_text);
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, ".", "x");
	assert_refused(target, &made, ".: the root itself has to be a directory");
}

static void test_attributes(void **state)
{
	struct target *target = *state;
	struct archive_entry *entry = entry_new("f", S_IFREG | 0644);
	char value[8] = "", path[128];
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	archive_entry_xattr_add_entry(entry, "user.kept", "yes", 3);
	archive_entry_xattr_add_entry(entry, "user.overlay.opaque", "y", 1);
	archive_entry_xattr_add_entry(entry, "trusted.overlay.opaque", "y", 1);
	archive_entry_xattr_add_entry(entry, "security.selinux", "x", 1);
	made_put(&made, entry, "x");
	entry = entry_new("d", S_IFDIR | 0755);
	archive_entry_xattr_add_entry(entry, "trusted.overlay.opaque", "y", 1);
	archive_entry_xattr_add_entry(entry, "trusted.overlay.redirect", "/", 1);
	made_put(&made, entry, NULL);
	assert_int_equal(target_unpack(target, &made), 0);
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

/* As much as there is room for is kept, and the rest is counted: it is no full disk. */
static void test_large_attribute(void **state)
{
	struct target *target = *state;
	struct archive_entry *entry = entry_new("f", S_IFREG | 0644);
	struct made made;
	char large[60000];

	memset(large, 'x', sizeof(large));
	made_begin(&made, ARCHIVE_FILTER_NONE);
	for (char name[] = "user.a"; name[5] < 'e'; name[5]++)
		archive_entry_xattr_add_entry(entry, name, large, sizeof(large));
	made_put(&made, entry, "x");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_holds(target, "f", "x");
}

static void test_holes(void **state)
{
	struct target *target = *state;
	struct archive_entry *entry = entry_new("sparse", S_IFREG | 0644);
	char block[4096];
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	archive_entry_set_size(entry, 1 << 20);
	archive_entry_sparse_add_entry(entry, 65536, 4096);
	memset(block, 'x', sizeof(block));
	assert_int_equal(archive_write_header(made.writer, entry), ARCHIVE_OK);
	/* The writer takes the data with its holes, and leaves these out. */
	for (int i = 0; i < 1 << 20; i += (int)sizeof(block))
		assert_int_equal(archive_write_data(made.writer, block, sizeof(block)),
				 sizeof(block));
	archive_entry_free(entry);
	assert_int_equal(target_unpack(target, &made), 0);
	assert_int_equal(target_look(target, "sparse").st_size, 1 << 20);
	assert_true(target_look(target, "sparse").st_blocks < 1024);
	assert_int_equal(target->result.size, 4096);
}

static void assert_beyond(struct target *target, struct made *made, const char *text)
{
	target->err = (struct err)ERR_INIT;
	assert_int_equal(target_unpack_bytes(target, made->bytes, made->len), -EFBIG);
	assert_int_equal(target->err.kind, ERR_INVALID);
	assert_string_equal(target->err.text, text);
	target->job = (struct unpack_job){ .limits = UNPACK_LIMITS_DEFAULT };
	target_empty(target);
}

static void test_limits(void **state)
{
	struct target *target = *state;
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_GZIP);
	made_file(&made, "a", "a");
	made_file(&made, "b", "b");
	made_file(&made, "c/d/e", "e");
	made_end(&made);
	target->job.limits.entries = 2;
	assert_beyond(target, &made, "the archive has more than the limit of 2 entries");
	target->job.limits.bytes = 3000;
	assert_beyond(target, &made, "the archive unpacks to more than the limit of 3000 bytes");
	target->job.limits.bytes = 3LL << 30;
	assert_int_equal(target_unpack_bytes(target, made.bytes, made.len), 0);
	free(made.bytes);
	/* Directories that nobody named count as well. */
	target_empty(target);
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "a/b/c/d/e", "e");
	made_end(&made);
	target->job.limits.entries = 3;
	assert_beyond(target, &made, "a/b/c/d/e: the archive has more than the limit of 3 entries");
	free(made.bytes);
}

static void test_limits_of_names(void **state)
{
	struct target *target = *state;
	struct made made;

	target->job.limits.path_bytes = 300;
	target->job.limits.depth = 3;
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "a/b/c", "as deep as may be");
	made_symlink(&made, "s", "a/b");
	assert_int_equal(target_unpack(target, &made), 0);
	target_empty(target);
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "a/b/c/d", "deeper");
	assert_refused(target, &made, "a/b/c/d: the name is nested deeper than the limit of 3");
	/* Nor by way of a symlink. */
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, "a/b/c", 0755);
	made_symlink(&made, "s", "a/b/c");
	made_file(&made, "s/d/e", "deeper");
	assert_refused(target, &made, "s/d/e: its directory is nested deeper than the limit of 3");
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

		made_begin(&made, filters[i]);
		made_file(&made, "a", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
		made_file(&made, "b", "b");
		made_end(&made);
		/* Of the two blocks of zeros at the end of a tar archive the first is enough. */
		whole = filters[i] == ARCHIVE_FILTER_NONE ? made.len - 1023 : made.len;
		step = filters[i] == ARCHIVE_FILTER_NONE ? 64 : 1;
		for (size_t len = 0; len + 1 < whole; len += step) {
			target->err = (struct err)ERR_INIT;
			assert_true(target_unpack_bytes(target, made.bytes, len) < 0);
			assert_int_equal(target->err.kind, ERR_INVALID);
		}
		assert_int_equal(target_unpack_bytes(target, made.bytes, made.len), 0);
		free(made.bytes);
	}
}

static void assert_bytes_refused(struct target *target, const char *bytes, size_t len,
				 const char *text)
{
	assert_true(target_unpack_bytes(target, bytes, len) < 0);
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
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "a", "a");
	made_end(&made);
	memcpy(made.bytes + made.len, "garbage", 7);
	assert_bytes_refused(target, made.bytes, made.len + 7,
			     "the archive has garbage after its end");
	/* padding is no garbage */
	memset(made.bytes + made.len, 0, 7);
	assert_int_equal(target_unpack_bytes(target, made.bytes, made.len + 7), 0);
	free(made.bytes);
	made_begin(&made, ARCHIVE_FILTER_GZIP);
	made_file(&made, "a", "a");
	made_end(&made);
	memcpy(made.bytes + made.len, "garbage", 7);
	target_empty(target);
	assert_bytes_refused(target, made.bytes, made.len + 7,
			     "the archive has garbage after the compressed data");
	memset(made.bytes + made.len, 0, 7);
	assert_int_equal(target_unpack_bytes(target, made.bytes, made.len + 7), 0);
	free(made.bytes);
}

/* What is wrong is told at once, though more may come. */
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
		unpack_fd(fds[0], target->fd, &job, &marks, &target->result, NULL, &target->err),
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
		TEST(test_large_attribute),
		TEST(test_holes),
		TEST(test_limits),
		TEST(test_limits_of_names),
		TEST(test_truncated),
		TEST(test_garbage),
		TEST(test_does_not_wait_for_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
