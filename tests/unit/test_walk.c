/* SPDX-License-Identifier: Apache-2.0 */
/* A tree entry by entry: image/walk.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/walk.h"
#include "store/base/cleanup.h"
#include "tests/unit/scratch.h"

#define DEPTH (3 * WALK_WINDOW)

static void make_file(int dir, const char *path)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

/* All paths, one a line; those that the tree `beside` has as a directory's child have a "+". */
static char *list(int root, int beside, struct walk *walk)
{
	AUTO_BUF struct buf out = BUF_INIT;
	struct walk_entry entry;
	struct err err = ERR_INIT;
	int r = walk_begin(walk, root, beside, 4096, &err);

	while (r == 0 && (r = walk_next(walk, &entry, &err)) > 0) {
		struct stat st;

		r = 0;
		assert_int_equal(fstatat(entry.dir, entry.name, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_ino, entry.st.st_ino);
		buf_addf(&out, "%s%s\n", entry.path,
			 entry.beside >= 0 && fstatat(entry.beside, entry.name, &st,
						      AT_SYMLINK_NOFOLLOW) == 0 ?
				 "+" :
				 "");
		if (strstr(entry.path, "skip"))
			walk_skip(walk);
	}
	if (r < 0)
		print_message("%s\n", err.text);
	assert_int_equal(r, 0);
	return buf_steal(&out);
}

static void test_order(void **state)
{
	static const char *const dirs[] = {
		"a", "a/b", "a-", "z", "skip", "skip/not seen", "\xe4"
	};
	static const char *const files[] = { "a/b/c", "a/z", "a.txt", "a-/x", "B", "\xe4/y" };
	struct scratch *scratch = *state;
	AUTO_WALK struct walk walk = { 0 };
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_int_equal(mkdirat(scratch->fd, dirs[i], 0755), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		make_file(scratch->fd, files[i]);
	assert_int_equal(symlinkat("a", scratch->fd, "link"), 0);
	text = list(scratch->fd, -1, &walk);
	assert_string_equal(text, "\nB\na\na/b\na/b/c\na/z\na-\na-/x\na.txt\nlink\nskip\nz\n\xe4\n"
				  "\xe4/y\n");
}

/* Names are kept until they are given: of a directory that has too many, none are. */
static void test_too_many_names(void **state)
{
	struct scratch *scratch = *state;
	AUTO_WALK struct walk walk = { 0 };
	struct walk_entry entry;
	struct err err = ERR_INIT;

	assert_int_equal(mkdirat(scratch->fd, "many", 0755), 0);
	make_file(scratch->fd, "many/one");
	make_file(scratch->fd, "many/other");
	assert_int_equal(walk_begin(&walk, scratch->fd, -1, 4096, &err), 0);
	walk.names_max = 9; /* "one" and "other" with their ends are 10 bytes */
	assert_int_equal(walk_next(&walk, &entry, &err), 1);
	assert_int_equal(walk_next(&walk, &entry, &err), 1);
	assert_string_equal(entry.path, "many");
	assert_int_equal(walk_next(&walk, &entry, &err), -E2BIG);
	assert_string_equal(err.text, "/many: the names in it are longer than the limit of 9 bytes"
				      " together");
}

static void test_compare(void **state)
{
	static const char *const sorted[] = { "",    "B",  "a",	   "a/b", "a/b/c",
					      "a/z", "a-", "a-/x", "a.b", "\xe4" };
	size_t n = sizeof(sorted) / sizeof(sorted[0]);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			int order = walk_compare(sorted[i], sorted[j]);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void test_beside(void **state)
{
	struct scratch *scratch = *state;
	AUTO_WALK struct walk walk = { 0 };
	AUTO_CLOSE int above = -1, below = -1;
	AUTO_FREE char *text = NULL;

	for (const char *const *dir = (const char *const[]){ "u", "u/both", "u/new", "u/link", "l",
							     "l/both", "l/to", NULL };
	     *dir; dir++)
		assert_int_equal(mkdirat(scratch->fd, *dir, 0755), 0);
	/* A symlink below does not lead to what is beside. */
	assert_int_equal(symlinkat("to", scratch->fd, "l/link"), 0);
	for (const char *const *file =
		     (const char *const[]){ "u/both/x", "u/both/y", "u/new/x", "u/link/x",
					    "l/both/x", "l/to/x", NULL };
	     *file; file++)
		make_file(scratch->fd, *file);
	above = openat(scratch->fd, "u", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	below = openat(scratch->fd, "l", O_PATH | O_DIRECTORY | O_CLOEXEC);
	text = list(above, below, &walk);
	assert_string_equal(text, "+\nboth+\nboth/x+\nboth/y\nlink+\nlink/x\nnew\nnew/x\n");
}

/* Deeper than directories are held open, with something behind each, in both trees. */
static void test_depth(void **state)
{
	struct scratch *scratch = *state;
	AUTO_WALK struct walk walk = { 0 };
	AUTO_BUF struct buf want = BUF_INIT;
	AUTO_FREE char *text = NULL;
	int dir = dup(scratch->fd);

	buf_addstr(&want, "+\n");
	for (int i = 0; i < DEPTH; i++) {
		int next;

		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		make_file(dir, "e");
		next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(dir);
		dir = next;
	}
	close(dir);
	for (int i = 0; i < DEPTH; i++) {
		for (int j = 0; j < i; j++)
			buf_addstr(&want, "d/");
		buf_addstr(&want, "d+\n");
	}
	for (int i = DEPTH - 1; i >= 0; i--) {
		for (int j = 0; j < i; j++)
			buf_addstr(&want, "d/");
		buf_addstr(&want, "e+\n");
	}
	text = list(scratch->fd, scratch->fd, &walk);
	assert_string_equal(text, want.data);
	assert_int_equal(walk.vanished, 0);
}

static void test_path_too_long(void **state)
{
	struct scratch *scratch = *state;
	AUTO_WALK struct walk walk = { 0 };
	struct walk_entry entry;
	struct err err = ERR_INIT;

	assert_int_equal(mkdirat(scratch->fd, "four", 0755), 0);
	make_file(scratch->fd, "four/five");
	assert_int_equal(walk_begin(&walk, scratch->fd, -1, 9, &err), 0);
	assert_int_equal(walk_next(&walk, &entry, &err), 1);
	assert_int_equal(walk_next(&walk, &entry, &err), 1);
	assert_int_equal(walk_next(&walk, &entry, &err), -ENAMETOOLONG);
	assert_int_equal(err.kind, ERR_INVALID);
}

/* A directory that is removed while the walk is in it, and one before it is entered. */
static void test_vanishing(void **state)
{
	struct scratch *scratch = *state;
	AUTO_WALK struct walk walk = { 0 };
	struct walk_entry entry;
	struct err err = ERR_INIT;

	assert_int_equal(mkdirat(scratch->fd, "a", 0755), 0);
	assert_int_equal(mkdirat(scratch->fd, "b", 0755), 0);
	make_file(scratch->fd, "a/1");
	make_file(scratch->fd, "a/2");
	assert_int_equal(walk_begin(&walk, scratch->fd, -1, 4096, &err), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(walk_next(&walk, &entry, &err), 1);
	assert_string_equal(entry.path, "a/1");
	assert_int_equal(unlinkat(scratch->fd, "a/2", 0), 0);
	assert_int_equal(walk_next(&walk, &entry, &err), 1);
	assert_string_equal(entry.path, "b");
	assert_int_equal(walk.vanished, 1);
	assert_int_equal(unlinkat(scratch->fd, "b", AT_REMOVEDIR), 0);
	assert_int_equal(walk_next(&walk, &entry, &err), 0);
	assert_int_equal(walk.vanished, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test_setup_teardown(test_order, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_too_many_names, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_beside, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_depth, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_path_too_long, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_vanishing, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
