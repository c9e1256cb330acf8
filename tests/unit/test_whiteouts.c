/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer says of those below: image/whiteout.c, and what image/tree.c makes of it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/whiteout.h"
#include "store/base/cleanup.h"
#include "tests/unit/archive_fixture.h"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		enum whiteout_kind kind;
		const char *path;
	} table[] = {
		{ "a", WHITEOUT_NONE, NULL },
		{ "", WHITEOUT_NONE, NULL },
		{ "a/wh.b", WHITEOUT_NONE, NULL },
		{ ".wh", WHITEOUT_NONE, NULL },
		{ "a.wh.b/c", WHITEOUT_NONE, NULL },
		{ ".wh.a", WHITEOUT_FILE, "a" },
		{ "a/b/.wh.c", WHITEOUT_FILE, "a/b/c" },
		{ "a/.wh....", WHITEOUT_FILE, "a/..." },
		{ "a/.wh..hidden", WHITEOUT_FILE, "a/.hidden" },
		{ "a/.wh..wh.", WHITEOUT_OTHER, NULL },
		{ ".wh..wh..opq", WHITEOUT_OPAQUE, "" },
		{ "a/.wh..wh..opq", WHITEOUT_OPAQUE, "a" },
		{ "a/b/.wh..wh..opq", WHITEOUT_OPAQUE, "a/b" },
		{ ".wh..wh.plnk", WHITEOUT_OTHER, NULL },
		{ ".wh..wh.plnk/1.2", WHITEOUT_OTHER, NULL },
		{ ".wh..wh.plnk/.wh.a", WHITEOUT_OTHER, NULL },
		{ ".wh..wh.aufs", WHITEOUT_OTHER, NULL },
		{ ".wh..wh..opq.no", WHITEOUT_OTHER, NULL },
	};
	static const char *const bad[] = { ".wh.",   "a/.wh.",	 ".wh..",   "a/.wh..",
					   ".wh...", "a/.wh...", ".wh.a/b", "x/.wh.a/b/c" };
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct whiteout out;
		char name[64];

		strcpy(name, table[i].name);
		assert_int_equal(whiteout_read(name, &out, &err), 0);
		assert_int_equal(out.kind, table[i].kind);
		if (table[i].path)
			assert_string_equal(out.path, table[i].path);
		else
			assert_null(out.path);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct whiteout out;
		char name[64];

		strcpy(name, bad[i]);
		assert_int_equal(whiteout_read(name, &out, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void assert_whiteout(struct target *target, const char *path)
{
	struct stat st = target_look(target, path);

	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(st.st_rdev, 0);
}

static void assert_nothing(struct target *target, const char *path)
{
	assert_int_equal(faccessat(target->fd, path, F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void test_whiteouts(void **state)
{
	struct target *target = *state;
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, ".", 0755);
	made_file(&made, ".wh.gone", "");
	made_dir(&made, "d", 0755);
	made_file(&made, "d/.wh.gone too", "");
	made_file(&made, "d/.wh.gone too", "");
	made_file(&made, "e/.wh..wh..opq", "");
	made_dir(&made, "e", 0700);
	made_file(&made, ".wh..wh.aufs", "");
	made_dir(&made, ".wh..wh.plnk", 0700);
	made_file(&made, ".wh..wh.plnk/4711.42", "linked");
	made_file(&made, "not/named/.wh.x", "");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_whiteout(target, "gone");
	assert_whiteout(target, "d/gone too");
	assert_whiteout(target, "not/named/x");
	assert_nothing(target, ".wh..wh.aufs");
	assert_nothing(target, ".wh..wh.plnk");
	assert_nothing(target, "e/.wh..wh..opq");
	assert_int_equal(target_look(target, "e").st_mode, S_IFDIR | 0700);
	assert_string_equal(target->marks, "O e, I not, I not/named");
	assert_int_equal(target_look(target, "d").st_mtim.tv_sec, MTIME);
}

/* What the same layer has stays; of a directory nothing but that shows. */
static void test_whiteout_and_file(void **state)
{
	struct target *target = *state;
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, ".", 0755);
	made_file(&made, ".wh.file after", "");
	made_file(&made, "file after", "stays");
	made_file(&made, "file before", "stays");
	made_file(&made, ".wh.file before", "");
	made_symlink(&made, "link", "file before");
	made_file(&made, ".wh.link", "");
	made_file(&made, ".wh.dir after", "");
	made_dir(&made, "dir after", 0755);
	made_file(&made, "dir after/x", "x");
	made_dir(&made, "dir before", 0755);
	made_file(&made, "dir before/x", "x");
	made_file(&made, ".wh.dir before", "");
	made_file(&made, "unnamed before/x", "x");
	made_file(&made, ".wh.unnamed before", "");
	made_file(&made, ".wh.unnamed after", "");
	made_file(&made, "unnamed after/x/y", "x");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_holds(target, "file after", "stays");
	assert_holds(target, "file before", "stays");
	assert_holds(target, "link", "stays");
	assert_holds(target, "dir after/x", "x");
	assert_holds(target, "dir before/x", "x");
	assert_holds(target, "unnamed before/x", "x");
	assert_holds(target, "unnamed after/x/y", "x");
	/* and there is nothing to inherit for what is below an opaque directory */
	assert_string_equal(target->marks,
			    "O dir after, O dir before, O unnamed after, O unnamed before");
}

/* A directory that takes the place of something else does not show what the layers below have. */
static void test_change_of_type(void **state)
{
	struct target *target = *state;
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, ".", 0755);
	made_file(&made, "a", "a file first");
	made_dir(&made, "a", 0755);
	made_file(&made, "b/x", "unnamed");
	made_file(&made, "b", "and then a file");
	made_file(&made, "c/d/x", "unnamed");
	made_dir(&made, "c/d", 0755);
	made_dir(&made, "c", 0755);
	made_file(&made, "e/.wh..wh..opq", "");
	made_file(&made, "e", "no directory any more");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_string_equal(target->marks, "O a");
	assert_holds(target, "b", "and then a file");
}

static void test_implicit_directories(void **state)
{
	struct target *target = *state;
	struct stat st;
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "a!", "between a and a/b");
	made_file(&made, "a/b/c", "x");
	made_dir(&made, "usr/lib", 0755);
	made_symlink(&made, "lib", "usr/lib");
	made_file(&made, "lib/x/y", "by way of a link");
	made_symlink(&made, "up", "usr/../usr/./lib/x/../../lib");
	made_file(&made, "up/z/y", "and up");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_string_equal(target->marks, "I a, I a/b, I usr, I usr/lib/x, I usr/lib/z");
	st = target_look(target, "a/b");
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(st.st_mtim.tv_sec, 0);
	assert_int_equal(st.st_mtim.tv_nsec, 0);
	st = target_look(target, "usr/lib");
	assert_int_equal(st.st_mtim.tv_sec, MTIME);
	assert_int_equal(target_look(target, ".").st_mtim.tv_sec, 0);
}

/* Whatever comes between them, directories keep their times, and no group is inherited. */
static void test_many_directories(void **state)
{
	struct target *target = *state;
	struct made made;
	char name[32];

	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, ".", 02755);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		made_dir(&made, name, i % 2 ? 02700 : 0500);
	}
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 40; i++) {
			snprintf(name, sizeof(name), "d%d/f%d", i, round);
			made_file(&made, name, "x");
		}
	assert_int_equal(target_unpack(target, &made), 0);
	for (int i = 0; i < 40; i++) {
		struct stat st;

		snprintf(name, sizeof(name), "d%d", i);
		st = target_look(target, name);
		assert_int_equal(st.st_mode, S_IFDIR | (i % 2 ? 02700 : 0500));
		assert_int_equal(st.st_mtim.tv_sec, MTIME);
		assert_int_equal(st.st_mtim.tv_nsec, 5);
	}
	assert_string_equal(target->marks, "");
}

static void test_devices(void **state)
{
	struct target *target = *state;
	struct archive_entry *entry = entry_new("null", S_IFCHR | 0644);
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	archive_entry_set_rdev(entry, makedev(0, 0));
	made_put(&made, entry, NULL);
	made_file(&made, "other", "x");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_nothing(target, "null");
	assert_int_equal(target->result.deletions, 1);
	assert_int_equal(target->result.devices, 0);
}

static void assert_refused(struct target *target, struct made *made, const char *text)
{
	made_end(made);
	assert_true(target_unpack_bytes(target, made->bytes, made->len) < 0);
	assert_int_equal(target->err.kind, ERR_INVALID);
	assert_string_equal(target->err.text, text);
	free(made->bytes);
	target_empty(target);
}

static void test_refused(void **state)
{
	struct target *target = *state;
	struct made made;

	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "a/.wh...", "");
	assert_refused(target, &made, "a/.wh...: is a whiteout of no name");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, ".wh.a/b", "");
	assert_refused(target, &made, ".wh.a/b: the name is of something in a whiteout");
	/* a whiteout is no file */
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, ".wh.a", "");
	made_hardlink(&made, "b", "a");
	assert_refused(target, &made,
		       "b: hard link to a: the archive has no such file before this entry");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, "a", 0755);
	made_hardlink(&made, "b", "a");
	assert_refused(target, &made, "b: hard link to a: it is a directory");
	/* what is not there is not made for the sake of a link */
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_hardlink(&made, "b", "a/b/c");
	assert_refused(target, &made,
		       "b: hard link to a/b/c: the archive has no such file before this entry");
}

/* 60 KiB of a name, which no system call takes. */
static void test_long_path(void **state)
{
	AUTO_FREE char *name = malloc(70000);
	struct target *target = *state;
	struct made made;
	size_t len = 0;

	for (int i = 0; i < 250; i++) {
		memset(name + len, 'd', 240);
		len += 240;
		name[len++] = '/';
	}
	strcpy(name + len, "leaf");
	target->job.limits.path_bytes = 64 << 10;
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, name, "deep");
	strcpy(name + len, "link");
	made_hardlink(&made, "short", name);
	made_end(&made);
	assert_int_equal(target_unpack_bytes(target, made.bytes, made.len), -ENOENT);
	free(made.bytes);
	target_empty(target);
	made_begin(&made, ARCHIVE_FILTER_NONE);
	strcpy(name + len, "leaf");
	made_file(&made, name, "deep");
	made_hardlink(&made, "short", name);
	strcpy(name + len, ".wh.gone");
	made_file(&made, name, "deep");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_holds(target, "short", "deep");
	assert_int_equal(target_look(target, "short").st_nlink, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, target_begin, target_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		TEST(test_whiteouts),
		TEST(test_whiteout_and_file),
		TEST(test_change_of_type),
		TEST(test_implicit_directories),
		TEST(test_many_directories),
		TEST(test_devices),
		TEST(test_refused),
		TEST(test_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
