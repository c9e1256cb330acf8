/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/target.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "tests/unit/scratch.h"

/* The scratch directory holds "root", the container's, and "outside", which must stay empty. */
static int setup(void **state)
{
	struct scratch *scratch;

	if (scratch_setup(state) < 0)
		return -1;
	scratch = *state;
	if (mkdirat(scratch->fd, "root", 0755) < 0 || mkdirat(scratch->fd, "outside", 0755) < 0)
		return -1;
	return 0;
}

static void assert_made(const struct scratch *scratch, const char *path, enum target_kind kind,
			const char *where)
{
	AUTO_CLOSE int root = openat(scratch->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = -1;
	struct err err = ERR_INIT;
	struct stat found, expected;

	if (target_ensure(root, path, kind, &fd, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(fstat(fd, &found), 0);
	assert_int_equal(fstatat(root, where, &expected, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(found.st_ino, expected.st_ino);
	assert_int_equal(S_ISDIR(found.st_mode), kind == TARGET_DIRECTORY);
}

static void assert_refused(const struct scratch *scratch, const char *path, enum target_kind kind,
			   const char *text)
{
	AUTO_CLOSE int root = openat(scratch->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;
	int fd = -7;

	assert_true(target_ensure(root, path, kind, &fd, &err) < 0);
	assert_string_equal(err.text, text);
	assert_int_equal(fd, -7);
}

static void assert_nothing_outside(const struct scratch *scratch)
{
	/* only an empty directory can be removed */
	assert_int_equal(unlinkat(scratch->fd, "outside", AT_REMOVEDIR), 0);
}

static void what_is_missing_is_made(void **state)
{
	assert_made(*state, "/a/b/c", TARGET_DIRECTORY, "a/b/c");
	assert_made(*state, "/a/b/c", TARGET_DIRECTORY, "a/b/c");
	assert_made(*state, "//a//d/", TARGET_DIRECTORY, "a/d");
	assert_made(*state, "/a/file", TARGET_FILE, "a/file");
	assert_made(*state, "/", TARGET_DIRECTORY, ".");
	assert_made(*state, "/x/../y", TARGET_DIRECTORY, "y");
	assert_made(*state, "/../../z", TARGET_DIRECTORY, "z");
}

static void symlinks_are_followed_inside(void **state)
{
	const struct scratch *scratch = *state;

	assert_int_equal(mkdirat(scratch->fd, "root/real", 0755), 0);
	assert_int_equal(symlinkat("/real", scratch->fd, "root/absolute"), 0);
	assert_int_equal(symlinkat("real", scratch->fd, "root/relative"), 0);
	assert_made(scratch, "/absolute/x", TARGET_DIRECTORY, "real/x");
	assert_made(scratch, "/relative/y", TARGET_FILE, "real/y");
}

static void symlinks_that_dangle_are_made_whole_inside(void **state)
{
	const struct scratch *scratch = *state;

	/* as /etc/resolv.conf of Ubuntu, whose target only exists once it runs */
	assert_int_equal(mkdirat(scratch->fd, "root/etc", 0755), 0);
	assert_int_equal(symlinkat("../run/resolve/stub.conf", scratch->fd, "root/etc/resolv.conf"),
			 0);
	assert_made(scratch, "/etc/resolv.conf", TARGET_FILE, "run/resolve/stub.conf");
	assert_int_equal(symlinkat("/var/one", scratch->fd, "root/first"), 0);
	assert_made(scratch, "/first/two", TARGET_DIRECTORY, "var/one/two");
}

static void symlinks_never_lead_out(void **state)
{
	const struct scratch *scratch = *state;
	char link[128];

	snprintf(link, sizeof(link), "%s/outside", scratch->path);
	assert_int_equal(symlinkat(link, scratch->fd, "root/absolute"), 0);
	assert_int_equal(symlinkat("../outside", scratch->fd, "root/relative"), 0);
	assert_made(scratch, "/relative/x", TARGET_DIRECTORY, "outside/x");
	strcat(link, "/y");
	assert_made(scratch, "/absolute/y", TARGET_FILE, link + 1);
	assert_nothing_outside(scratch);
}

static void a_circle_of_symlinks_ends(void **state)
{
	const struct scratch *scratch = *state;

	assert_int_equal(symlinkat("b", scratch->fd, "root/a"), 0);
	assert_int_equal(symlinkat("a", scratch->fd, "root/b"), 0);
	assert_refused(scratch, "/a/x", TARGET_DIRECTORY,
		       "cannot open /a/x in the container: Too many levels of symbolic links");
	/* each step finds another link that dangles: it grows for ever, but for the limit */
	assert_int_equal(symlinkat("c/d", scratch->fd, "root/c"), 0);
	assert_refused(scratch, "/c", TARGET_DIRECTORY,
		       "cannot open /c in the container: Too many levels of symbolic links");
}

static void what_is_there_is_not_replaced(void **state)
{
	assert_made(*state, "/file", TARGET_FILE, "file");
	assert_made(*state, "/directory", TARGET_DIRECTORY, "directory");
	assert_refused(*state, "/file", TARGET_DIRECTORY,
		       "/file in the container is not a directory");
	assert_refused(*state, "/directory", TARGET_FILE,
		       "/directory in the container is a directory");
	assert_refused(*state, "/file/x", TARGET_FILE,
		       "cannot open /file/x in the container: Not a directory");
	assert_refused(*state, "x", TARGET_FILE, "not an absolute path: x");
}

static void names_that_are_too_long_are_refused(void **state)
{
	char path[600];

	memset(path, 'n', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	AUTO_CLOSE int root =
		openat(((struct scratch *)*state)->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;
	int fd;

	assert_int_equal(target_ensure(root, path, TARGET_DIRECTORY, &fd, &err), -ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_missing_is_made),
		TEST(symlinks_are_followed_inside),
		TEST(symlinks_that_dangle_are_made_whole_inside),
		TEST(symlinks_never_lead_out),
		TEST(a_circle_of_symlinks_ends),
		TEST(what_is_there_is_not_replaced),
		TEST(names_that_are_too_long_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
