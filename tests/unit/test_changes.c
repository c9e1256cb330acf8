/* SPDX-License-Identifier: Apache-2.0 */
/* What an upper directory changes: image/changes.c. The two trees are made as overlayfs would. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/changes.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "tests/unit/scratch.h"

struct pair {
	int upper, below;
	struct buf told;
	struct err err;
};

static void dir(int at, const char *path)
{
	const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	assert_int_equal(mkdirat(at, path, 0755), 0);
	assert_int_equal(utimensat(at, path, times, 0), 0);
}

static void file(int at, const char *path, const char *text, time_t mtime)
{
	const struct timespec times[2] = { { mtime, 0 }, { mtime, 0 } };
	int fd = openat(at, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void same_times(int at, const char *path)
{
	const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	assert_int_equal(utimensat(at, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void mark(int at, const char *path, const char *name, const char *value)
{
	int fd = openat(at, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	if (fsetxattr(fd, name, value, strlen(value), 0) < 0)
		skip();
	close(fd);
}

static void whiteout(int at, const char *path)
{
	if (mknodat(at, path, S_IFCHR, makedev(0, 0)) < 0)
		skip();
}

static int on_change(enum change_kind kind, const char *path, void *data, struct err *err)
{
	(void)err;
	buf_addf(data, "%c /%s\n", kind, path);
	return 0;
}

static int on_opaque(const char *path, void *data, struct err *err)
{
	(void)err;
	buf_addf(data, "opaque /%s\n", path);
	return 0;
}

static void begin(struct scratch *scratch, struct pair *pair)
{
	*pair = (struct pair){ .err = ERR_INIT };
	assert_int_equal(mkdirat(scratch->fd, "upper", 0700), 0);
	assert_int_equal(mkdirat(scratch->fd, "below", 0755), 0);
	pair->upper = openat(scratch->fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pair->below = openat(scratch->fd, "below", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int look(struct pair *pair)
{
	const struct changes_visitor visitor = { on_change, on_opaque, &pair->told };

	buf_reset(&pair->told);
	buf_addstr(&pair->told, "");
	return changes_walk(pair->upper, pair->below, &visitor, &pair->err);
}

static void end(struct pair *pair)
{
	buf_release(&pair->told);
	close(pair->upper);
	close(pair->below);
}

static void test_nothing(void **state)
{
	struct pair pair;

	/* The roots differ in their modes, which is nothing to be told of. */
	begin(*state, &pair);
	file(pair.below, "a", "x", 1);
	assert_int_equal(look(&pair), 0);
	assert_string_equal(pair.told.data, "");
	end(&pair);
}

static void test_each_kind(void **state)
{
	struct pair pair;

	begin(*state, &pair);
	for (const int *at = (const int[]){ pair.upper, pair.below, -1 }; *at >= 0; at++) {
		dir(*at, "copied");
		file(*at, "copied/same", "same", 5);
		file(*at, "copied/longer", *at == pair.upper ? "longer" : "long", 5);
		file(*at, "copied/newer", "newer", *at == pair.upper ? 6 : 5);
		file(*at, "copied/mode", "mode", 5);
		file(*at, "copied/attribute", "x", 5);
		assert_int_equal(symlinkat("target", *at, "copied/link"), 0);
		assert_int_equal(
			symlinkat(*at == pair.upper ? "one" : "two", *at, "copied/retargeted"), 0);
		same_times(*at, "copied/link");
		same_times(*at, "copied/retargeted");
		same_times(*at, "copied");
	}
	assert_int_equal(fchmodat(pair.upper, "copied/mode", 0600, 0), 0);
	mark(pair.upper, "copied/attribute", "user.x", "1");
	file(pair.upper, "copied/new", "", 5);
	same_times(pair.upper, "copied");
	dir(pair.upper, "made");
	file(pair.upper, "made/file", "", 5);
	/* A directory that became a file, and the other way round. */
	dir(pair.below, "was-dir");
	file(pair.below, "was-dir/file", "", 5);
	file(pair.upper, "was-dir", "", 5);
	file(pair.below, "was-file", "", 5);
	dir(pair.upper, "was-file");
	file(pair.upper, "was-file/new", "", 5);
	/* Deleted, and made and deleted again. */
	file(pair.below, "deleted", "", 5);
	whiteout(pair.upper, "deleted");
	whiteout(pair.upper, "never-was");
	assert_int_equal(look(&pair), 0);
	assert_string_equal(pair.told.data, "C /copied/attribute\n"
					    "C /copied/longer\n"
					    "C /copied/mode\n"
					    "A /copied/new\n"
					    "C /copied/newer\n"
					    "C /copied/retargeted\n"
					    "D /deleted\n"
					    "A /made\n"
					    "A /made/file\n"
					    "C /was-dir\n"
					    "C /was-file\n"
					    "A /was-file/new\n");
	end(&pair);
}

static void test_opaque(void **state)
{
	struct pair pair;

	begin(*state, &pair);
	for (const int *at = (const int[]){ pair.upper, pair.below, -1 }; *at >= 0; at++) {
		dir(*at, "o");
		dir(*at, "o/both");
		file(*at, "o/both/same", "x", 5);
		dir(*at, "o-sibling");
	}
	file(pair.below, "o/gone", "x", 5);
	file(pair.below, "o/both/gone", "x", 5);
	dir(pair.below, "o/gone-dir");
	file(pair.below, "o/gone-dir/file", "x", 5);
	file(pair.below, "o-sibling/shows", "x", 5);
	for (const int *at = (const int[]){ pair.upper, pair.below, -1 }; *at >= 0; at++) {
		same_times(*at, "o/both");
		same_times(*at, "o");
		same_times(*at, "o-sibling");
	}
	/* New directories are opaque without need: overlayfs makes them so to save look-ups. */
	dir(pair.upper, "p");
	mark(pair.upper, "o", "trusted.overlay.opaque", "y");
	mark(pair.upper, "p", "trusted.overlay.opaque", "y");
	mark(pair.upper, "o-sibling", "trusted.overlay.opaque", "x");
	assert_int_equal(look(&pair), 0);
	assert_string_equal(pair.told.data, "opaque /o\n"
					    "D /o/gone\n"
					    "D /o/gone-dir\n"
					    "D /o/both/gone\n"
					    "A /p\n");
	end(&pair);
}

/* Content that is elsewhere cannot be packed. */
static void test_references(void **state)
{
	struct pair pair;

	begin(*state, &pair);
	dir(pair.upper, "renamed");
	mark(pair.upper, "renamed", "trusted.overlay.redirect", "old");
	assert_int_equal(look(&pair), -ENOTSUP);
	assert_string_equal(pair.err.text,
			    "/renamed is kept by reference only (redirect_dir of overlayfs)");
	end(&pair);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(test_nothing),
		IN_SCRATCH(test_each_kind),
		IN_SCRATCH(test_opaque),
		IN_SCRATCH(test_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
