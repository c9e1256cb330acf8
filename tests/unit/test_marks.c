/* SPDX-License-Identifier: Apache-2.0 */
/* What the unpack stage tells of directories: image/marks.c, image/mark_set.c, image/inherit.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/inherit.h"
#include "image/mark_set.h"
#include "image/marks.h"
#include "store/base/cleanup.h"
#include "tests/unit/scratch.h"

static void test_encode_and_decode(void **state)
{
	AUTO_MARKS struct marks marks = MARKS_INIT;
	AUTO_BUF struct buf bytes = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	marks_add(&bytes, MARK_IMPLICIT, "");
	marks_add(&bytes, MARK_OPAQUE, "a/b");
	marks_add(&bytes, MARK_IMPLICIT, "a/.hidden/..c");
	assert_int_equal(marks_decode(bytes.data, bytes.len, &marks, &err), 0);
	assert_int_equal(marks.nopaque, 1);
	assert_int_equal(marks.nimplicit, 2);
	assert_string_equal(marks.opaque[0], "a/b");
	assert_null(marks.opaque[1]);
	assert_string_equal(marks.implicit[0], "");
	assert_string_equal(marks.implicit[1], "a/.hidden/..c");
	assert_null(marks.implicit[2]);
	assert_false(marks.opaque_root);
	assert_true(inherit_needed(&marks));
}

static void test_nothing(void **state)
{
	AUTO_MARKS struct marks marks = MARKS_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(marks_decode("", 0, &marks, &err), 0);
	assert_non_null(marks.opaque);
	assert_null(marks.opaque[0]);
	assert_null(marks.implicit[0]);
	assert_false(inherit_needed(&marks));
}

static void test_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
	} table[] = {
		{ "Oa", 2, "the unpack stage sent marks that are none" },
		{ "Xa", 3, "the unpack stage sent marks that are none" },
		{ "\0", 1, "the unpack stage sent marks that are none" },
		{ "Oa\0I", 4, "the unpack stage sent marks that are none" },
		{ "O/a", 4, "the unpack stage sent a mark of an impossible path" },
		{ "Oa/", 4, "the unpack stage sent a mark of an impossible path" },
		{ "O/", 3, "the unpack stage sent a mark of an impossible path" },
		{ "Oa//b", 6, "the unpack stage sent a mark of an impossible path" },
		{ "O..", 4, "the unpack stage sent a mark of an impossible path" },
		{ "Ia/../b", 8, "the unpack stage sent a mark of an impossible path" },
		{ "Ia/..", 6, "the unpack stage sent a mark of an impossible path" },
		{ "I./a", 5, "the unpack stage sent a mark of an impossible path" },
	};
	struct marks marks = MARKS_INIT;
	struct err err = ERR_INIT;
	AUTO_BUF struct buf bytes = BUF_INIT;
	char longest[MARKS_MAX_PATH + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(marks_decode(table[i].bytes, table[i].len, &marks, &err), -EPROTO);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_string_equal(err.text, table[i].text);
		assert_null(marks.bytes);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	marks_add(&bytes, MARK_OPAQUE, longest);
	assert_int_equal(marks_decode(bytes.data, bytes.len, &marks, &err), -EPROTO);
	buf_reset(&bytes);
	for (unsigned i = 0; i <= MARKS_MAX_COUNT; i++)
		marks_add(&bytes, MARK_IMPLICIT, "a");
	assert_int_equal(marks_decode(bytes.data, bytes.len, &marks, &err), -EPROTO);
	assert_string_equal(err.text, "the unpack stage sent too many marks");
}

static void test_memfd(void **state)
{
	AUTO_MARKS struct marks marks = MARKS_INIT;
	struct err err = ERR_INIT;
	AUTO_CLOSE int fd = -1;

	(void)state;
	assert_int_equal(marks_open(&fd, &err), 0);
	assert_int_equal(pwrite(fd, "Ia\0Ob\0", 6, 0), 6);
	assert_int_equal(marks_read(fd, 6, &marks, &err), 0);
	assert_string_equal(marks.implicit[0], "a");
	assert_string_equal(marks.opaque[0], "b");
	/* It is as large as it will ever be. */
	assert_int_equal(pwrite(fd, "x", 1, MARKS_MAX_BYTES), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(marks_read(fd, MARKS_MAX_BYTES + 1, &marks, &err), -EPROTO);
}

static void test_set(void **state)
{
	static const char *const sorted[] = { "", "a", "a/b", "a/b/c", "a/c", "a!", "ab" };
	struct mark_set set = MARK_SET_INIT;

	(void)state;
	mark_set_sort(&set);
	for (int i = 6; i >= 0; i--)
		assert_int_equal(mark_set_add(&set, sorted[i], MARK_IMPLICIT), 0);
	assert_int_equal(mark_set_add(&set, "a", MARK_OPAQUE), 0);
	mark_set_drop(&set, "ab", MARK_IMPLICIT);
	mark_set_drop(&set, "not there", MARK_OPAQUE);
	mark_set_sort(&set);
	assert_int_equal(set.count, 7);
	for (int i = 0; i < 7; i++) {
		assert_string_equal(set.entries[i].path, sorted[i]);
		assert_int_equal(set.entries[i].opaque, i == 1);
		assert_int_equal(set.entries[i].implicit, i != 6);
	}
	mark_set_release(&set);
}

/* As many as it takes to grow a few times: each is found again, and is there once. */
static void test_large_set(void **state)
{
	struct mark_set set = MARK_SET_INIT;
	char name[32];

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 5000; i++) {
			snprintf(name, sizeof(name), "%d", i);
			assert_int_equal(mark_set_add(&set, name, MARK_OPAQUE), 0);
		}
	assert_int_equal(set.count, 5000);
	for (int i = 0; i < 5000; i += 2) {
		snprintf(name, sizeof(name), "%d", i);
		mark_set_drop(&set, name, MARK_OPAQUE);
	}
	for (int i = 0; i < 5000; i++)
		assert_int_equal(set.entries[i].opaque, i % 2);
	mark_set_release(&set);
}

/* --- what layers below have --- */

/* In a scratch directory: "top", the tree that inherits, and the layers "above" and "below". */
struct trees {
	int top;
	int lowers[2];
};

static int make_dir(const struct scratch *scratch, const char *path, mode_t mode)
{
	int fd;

	assert_int_equal(mkdirat(scratch->fd, path, 0755), 0);
	assert_int_equal(fchmodat(scratch->fd, path, mode, 0), 0);
	fd = openat(scratch->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, (struct timespec[]){ { 77, 7 }, { 77, 7 } }), 0);
	return fd;
}

static void add_dir(const struct scratch *scratch, const char *path, mode_t mode)
{
	close(make_dir(scratch, path, mode));
}

/* As it was before anything came into it. */
static void set_time(const struct scratch *scratch, const char *path)
{
	static const struct timespec times[] = { { 77, 7 }, { 77, 7 } };

	assert_int_equal(utimensat(scratch->fd, path, times, 0), 0);
}

static struct trees make_trees(const struct scratch *scratch)
{
	return (struct trees){ make_dir(scratch, "top", 0755),
			       { make_dir(scratch, "above", 0711),
				 make_dir(scratch, "below", 01777) } };
}

static void close_trees(struct trees *trees)
{
	close(trees->top);
	close(trees->lowers[0]);
	close(trees->lowers[1]);
}

static struct stat look(const struct scratch *scratch, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(scratch->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static bool inherit(const struct trees *trees, char *path)
{
	char *const implicit[] = { path, NULL };
	struct err err = ERR_INIT;
	bool changed = false;
	int r = inherit_directories(trees->top, implicit, trees->lowers, 2, NULL, &changed, &err);

	if (r < 0)
		print_message("%s\n", err.text);
	assert_int_equal(r, 0);
	return changed;
}

static void set_opaque(const struct scratch *scratch, const char *path)
{
	AUTO_CLOSE int fd = openat(scratch->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fsetxattr(fd, MARKS_OPAQUE_ATTRIBUTE, "y", 1, 0) < 0)
		skip();
}

static void test_inherit(void **state)
{
	const struct scratch *scratch = *state;
	struct trees trees = make_trees(scratch);

	add_dir(scratch, "top/both", 0755);
	add_dir(scratch, "above/both", 0700);
	add_dir(scratch, "below/both", 0500);
	add_dir(scratch, "top/deep", 0755);
	add_dir(scratch, "top/deep/er", 0755);
	add_dir(scratch, "below/deep", 0755);
	add_dir(scratch, "below/deep/er", 02710);
	add_dir(scratch, "top/new", 0755);
	/* what came into them has changed their times */
	set_time(scratch, "top/deep");
	set_time(scratch, "below/deep");
	assert_true(inherit(&trees, "both"));
	assert_int_equal(look(scratch, "top/both").st_mode, S_IFDIR | 0700);
	assert_int_equal(look(scratch, "top/both").st_mtim.tv_sec, 77);
	assert_int_equal(look(scratch, "top/both").st_mtim.tv_nsec, 7);
	assert_true(inherit(&trees, "deep/er"));
	assert_int_equal(look(scratch, "top/deep/er").st_mode, S_IFDIR | 02710);
	/* of nothing, and of what is the same already */
	assert_false(inherit(&trees, "new"));
	assert_int_equal(look(scratch, "top/new").st_mode, S_IFDIR | 0755);
	assert_false(inherit(&trees, "deep"));
	assert_true(inherit(&trees, ""));
	assert_int_equal(look(scratch, "top").st_mode, S_IFDIR | 0711);
	close_trees(&trees);
}

static void test_inherit_attributes(void **state)
{
	const struct scratch *scratch = *state;
	struct trees trees = make_trees(scratch);
	AUTO_CLOSE int from = make_dir(scratch, "above/d", 0755);
	AUTO_CLOSE int to = make_dir(scratch, "top/d", 0755);
	char value[8] = "";

	if (fsetxattr(from, "user.kept", "yes", 3, 0) < 0)
		skip();
	(void)fsetxattr(from, MARKS_OPAQUE_ATTRIBUTE, "y", 1, 0);
	assert_true(inherit(&trees, "d"));
	assert_int_equal(fgetxattr(to, "user.kept", value, sizeof(value)), 3);
	assert_string_equal(value, "yes");
	assert_int_equal(flistxattr(to, NULL, 0), sizeof("user.kept"));
	close_trees(&trees);
}

/* What overlayfs would not show is not inherited either. */
static void test_inherit_ends(void **state)
{
	const struct scratch *scratch = *state;
	struct trees trees = make_trees(scratch);

	add_dir(scratch, "top/gone", 0755);
	add_dir(scratch, "below/gone", 0700);
	assert_int_equal(mknodat(scratch->fd, "above/gone", S_IFCHR, 0), 0);
	assert_false(inherit(&trees, "gone"));
	add_dir(scratch, "top/file", 0755);
	add_dir(scratch, "top/file/d", 0755);
	add_dir(scratch, "below/file", 0700);
	add_dir(scratch, "below/file/d", 0700);
	assert_int_equal(mknodat(scratch->fd, "above/file", S_IFREG | 0644, 0), 0);
	assert_false(inherit(&trees, "file"));
	assert_false(inherit(&trees, "file/d"));
	/* a symlink is not followed, wherever it leads */
	add_dir(scratch, "top/link", 0755);
	add_dir(scratch, "below/link", 0700);
	assert_int_equal(symlinkat("../below/link", scratch->fd, "above/link"), 0);
	assert_false(inherit(&trees, "link"));
	add_dir(scratch, "top/opaque", 0755);
	add_dir(scratch, "top/opaque/d", 0755);
	add_dir(scratch, "above/opaque", 0711);
	add_dir(scratch, "below/opaque", 0700);
	add_dir(scratch, "below/opaque/d", 0700);
	set_opaque(scratch, "above/opaque");
	assert_false(inherit(&trees, "opaque/d"));
	assert_true(inherit(&trees, "opaque"));
	assert_int_equal(look(scratch, "top/opaque").st_mode, S_IFDIR | 0711);
	close_trees(&trees);
}

static void test_opaque_root(void **state)
{
	const struct scratch *scratch = *state;
	struct trees trees = make_trees(scratch);
	char *const none[] = { NULL };
	struct err err = ERR_INIT;
	bool changed = false;
	char value = 0;
	AUTO_CLOSE int dir = -1;

	add_dir(scratch, "below/hidden", 0755);
	add_dir(scratch, "below/shared", 0700);
	assert_int_equal(mknodat(scratch->fd, "above/file", S_IFREG | 0644, 0), 0);
	assert_int_equal(mknodat(scratch->fd, "above/kept", S_IFREG | 0644, 0), 0);
	add_dir(scratch, "top/shared", 0755);
	assert_int_equal(mknodat(scratch->fd, "top/kept", S_IFREG | 0600, 0), 0);
	assert_int_equal(futimens(trees.top, (struct timespec[]){ { 5, 5 }, { 5, 5 } }), 0);
	assert_int_equal(
		inherit_directories(trees.top, none, trees.lowers, 2, NULL, &changed, &err), 0);
	assert_false(changed);
	set_opaque(scratch, "top");
	assert_int_equal(
		inherit_directories(trees.top, none, trees.lowers, 2, NULL, &changed, &err), 0);
	assert_true(changed);
	assert_int_equal(look(scratch, "top/hidden").st_mode, S_IFCHR);
	assert_int_equal(look(scratch, "top/hidden").st_mtim.tv_sec, 0);
	assert_int_equal(look(scratch, "top/file").st_mode, S_IFCHR);
	assert_int_equal(look(scratch, "top/file").st_rdev, 0);
	assert_int_equal(look(scratch, "top/kept").st_mode, S_IFREG | 0600);
	dir = openat(scratch->fd, "top/shared", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fgetxattr(dir, MARKS_OPAQUE_ATTRIBUTE, &value, 1), 1);
	assert_int_equal(look(scratch, "top").st_mtim.tv_sec, 5);
	close_trees(&trees);
}

static void test_apply(void **state)
{
	const struct scratch *scratch = *state;
	struct trees trees = make_trees(scratch);
	AUTO_MARKS struct marks marks = MARKS_INIT;
	AUTO_BUF struct buf bytes = BUF_INIT;
	struct err err = ERR_INIT;
	AUTO_CLOSE int dir = make_dir(scratch, "top/d", 0755);
	char value = 0;

	set_opaque(scratch, "below"); /* where that cannot be, the rest cannot either */
	marks_add(&bytes, MARK_OPAQUE, "d");
	assert_int_equal(marks_decode(bytes.data, bytes.len, &marks, &err), 0);
	assert_int_equal(marks_apply(trees.top, &marks, &err), 0);
	assert_int_equal(fgetxattr(dir, MARKS_OPAQUE_ATTRIBUTE, &value, 1), 1);
	assert_int_equal(value, 'y');
	/* A stage that was taken over cannot name what is outside. */
	assert_int_equal(symlinkat("../below", scratch->fd, "top/link"), 0);
	marks_release(&marks);
	buf_reset(&bytes);
	marks_add(&bytes, MARK_OPAQUE, "link");
	assert_int_equal(marks_decode(bytes.data, bytes.len, &marks, &err), 0);
	assert_true(marks_apply(trees.top, &marks, &err) < 0);
	assert_string_equal(err.text, "link: cannot open the directory: Not a directory");
	close_trees(&trees);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode_and_decode),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_large_set),
		TEST(test_inherit),
		TEST(test_inherit_attributes),
		TEST(test_inherit_ends),
		TEST(test_opaque_root),
		TEST(test_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
