/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files, paths that stay beneath a descriptor, and the removal of trees somebody else made.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "tests/unit/scratch.h"

static void put(int dir, const char *name, const char *text)
{
	AUTO_CLOSE int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static mode_t mode_of(int dir, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

/* --- paths --- */

static void test_nothing_leads_out(void **state)
{
	const struct scratch *s = *state;
	AUTO_CLOSE int dir = -1;
	struct err err = ERR_INIT;
	int fd;

	put(s->fd, "outside", "x");
	assert_int_equal(fd_ensure_dir(s->fd, "in", 0755, &dir, &err), 0);
	put(dir, "file", "inside");
	assert_int_equal(symlinkat("../outside", dir, "up"), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "absolute"), 0);
	assert_int_equal(symlinkat("file", dir, "good"), 0);

	assert_int_equal(fd_open_beneath(dir, "../outside", O_RDONLY, 0), -EXDEV);
	assert_int_equal(fd_open_beneath(dir, "up", O_RDONLY, 0), -EXDEV);
	assert_int_equal(fd_open_beneath(dir, "absolute", O_RDONLY, 0), -EXDEV);
	assert_int_equal(fd_open_beneath(dir, "/file", O_RDONLY, 0), -EXDEV);
	fd = fd_open_beneath(dir, "good", O_RDONLY, 0644);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);

	/* In a root the same paths are those of the root. */
	assert_int_equal(fd_open_in_root(dir, "absolute", O_RDONLY, 0), -ENOENT);
	assert_int_equal(fd_open_in_root(dir, "up", O_RDONLY, 0), -ENOENT);
	fd = fd_open_in_root(dir, "/../../file", O_RDONLY, 0);
	assert_true(fd >= 0);
	close(fd);
	fd = fd_open_in_root(dir, "/new", O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(mode_of(dir, "new"), 0600);
}

/* --- files --- */

static void test_read_file(void **state)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t len = 99;

	put(s->fd, "f", "12345");
	assert_int_equal(fd_read_file(s->fd, "f", 5, &text, &len, &err), 0);
	assert_int_equal(len, 5);
	assert_string_equal(text, "12345");
	free(text);

	text = NULL;
	assert_int_equal(fd_read_file(s->fd, "f", 4, &text, &len, &err), -EFBIG);
	assert_string_equal(err.text, "f is larger than 4 bytes");
	assert_null(text);
	assert_int_equal(fd_read_file(s->fd, "missing", 4, &text, &len, &err), -ENOENT);
	assert_string_equal(err.text, "cannot open missing: No such file or directory");
	assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
	assert_int_equal(fd_read_file(s->fd, "fifo", 4, &text, &len, &err), -EINVAL);
	assert_string_equal(err.text, "fifo is not a regular file");
	/* Its size, says stat(2), is 0. */
	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/self/status", 1 << 20, &text, &len, &err),
			 0);
	assert_true(len > 100);
	assert_int_equal(strlen(text), len);
	free(text);
}

/* Of a tree that somebody else has made only files are opened, and only its own. */
static void test_read_in_root(void **state)
{
	const struct scratch *s = *state;
	AUTO_CLOSE int dir = -1;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t len;

	assert_int_equal(fd_ensure_dir(s->fd, "tree", 0755, &dir, &err), 0);
	put(dir, "file", "inside");
	assert_int_equal(symlinkat("/file", dir, "absolute"), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "out"), 0);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(fd_read_in_root(dir, "/../absolute", 6, &text, &len, &err), 0);
	assert_string_equal(text, "inside");
	assert_int_equal(len, 6);
	free(text);
	text = NULL;
	assert_int_equal(fd_read_in_root(dir, "file", 5, &text, &len, &err), -EFBIG);
	assert_int_equal(fd_read_in_root(dir, "out", 99, &text, &len, &err), -ENOENT);
	assert_string_equal(err.text, "cannot open out: No such file or directory");
	assert_int_equal(fd_read_in_root(dir, "fifo", 99, &text, &len, &err), -EINVAL);
	assert_string_equal(err.text, "fifo is not a regular file");
	assert_int_equal(fd_read_in_root(dir, "/", 99, &text, &len, &err), -EINVAL);
	assert_null(text);
}

static void test_replace_file(void **state)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t len;
	mode_t before = umask(0077);

	assert_int_equal(fd_replace_file(s->fd, "f", 0644, "one", 3, true, &err), 0);
	assert_int_equal(fd_replace_file(s->fd, "f", 0644, "two", 3, false, &err), 0);
	umask(before);
	assert_int_equal(mode_of(s->fd, "f"), 0644);
	assert_int_equal(fd_read_file(s->fd, "f", 10, &text, &len, &err), 0);
	assert_string_equal(text, "two");
	free(text);

	/* Where it fails nothing is left and nothing is lost. */
	assert_int_equal(mkdirat(s->fd, "d", 0700), 0);
	assert_int_equal(fd_replace_file(s->fd, "d", 0644, "x", 1, false, &err), -EISDIR);
	assert_string_equal(err.text, "cannot write d: Is a directory");
	assert_int_equal(unlinkat(s->fd, "d", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(s->fd, "f", 0), 0);
	assert_int_equal(rmdir(s->path), 0);
	assert_int_equal(mkdir(s->path, 0700), 0);
}

static void test_directories_have_their_mode(void **state)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;
	char path[128];
	int fd = -1;
	mode_t before = umask(0077);

	assert_int_equal(fd_ensure_dir(s->fd, "d", 0755, &fd, &err), 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/a/b/c", s->path);
	assert_int_equal(fd_ensure_dir_path(path, 0750, &fd, &err), 0);
	close(fd);
	umask(before);
	assert_int_equal(mode_of(s->fd, "d"), 0755);
	assert_int_equal(mode_of(s->fd, "a/b/c"), 0750);
	/* The mode of what is there already is left alone. */
	assert_int_equal(fd_ensure_dir(s->fd, "d", 0700, &fd, &err), 0);
	close(fd);
	assert_int_equal(mode_of(s->fd, "d"), 0755);

	put(s->fd, "file", "");
	assert_int_equal(symlinkat("d", s->fd, "link"), 0);
	assert_int_equal(fd_ensure_dir(s->fd, "file", 0700, &fd, &err), -ENOTDIR);
	assert_string_equal(err.text, "cannot open directory file: Not a directory");
	assert_int_equal(fd_ensure_dir(s->fd, "link", 0700, &fd, &err), -ENOTDIR);
}

static void test_memory_file_is_sealed(void **state)
{
	struct err err = ERR_INIT;
	char text[8] = "";
	int fd = -1;

	(void)state;
	assert_int_equal(fd_from_memory("m", "abc", 3, &fd, &err), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fd_read_all(fd, text, sizeof(text)), 3);
	assert_string_equal(text, "abc");
	close(fd);
}

/* --- trees --- */

static void assert_gone(const struct scratch *s, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(errno, ENOENT);
}

static void remove_tree(const struct scratch *s, const char *name)
{
	struct err err = ERR_INIT;

	if (fd_remove_tree(s->fd, name, &err) < 0)
		fail_msg("%s", err.text);
	assert_gone(s, name);
}

static void test_remove_of_plain_things(void **state)
{
	const struct scratch *s = *state;

	remove_tree(s, "missing");
	put(s->fd, "file", "x");
	remove_tree(s, "file");
	assert_int_equal(mkdirat(s->fd, "empty", 0700), 0);
	remove_tree(s, "empty");
}

static void test_remove_follows_no_symlink(void **state)
{
	const struct scratch *s = *state;

	assert_int_equal(mkdirat(s->fd, "keep", 0700), 0);
	put(s->fd, "keep/file", "x");
	assert_int_equal(mkdirat(s->fd, "tree", 0700), 0);
	assert_int_equal(symlinkat("../keep", s->fd, "tree/link"), 0);
	assert_int_equal(symlinkat("keep", s->fd, "top"), 0);
	remove_tree(s, "tree");
	remove_tree(s, "top");
	assert_int_equal(faccessat(s->fd, "keep/file", F_OK, 0), 0);
}

static void test_remove_of_strange_names_and_modes(void **state)
{
	const struct scratch *s = *state;

	assert_int_equal(mkdirat(s->fd, "t", 0700), 0);
	assert_int_equal(mkdirat(s->fd, "t/new\nline", 0700), 0);
	put(s->fd, "t/new\nline/\x1b[2J", "x");
	put(s->fd, "t/-rf", "x");
	assert_int_equal(mkdirat(s->fd, "t/closed", 0700), 0);
	assert_int_equal(mkdirat(s->fd, "t/closed/d", 0700), 0);
	put(s->fd, "t/closed/d/file", "x");
	assert_int_equal(fchmodat(s->fd, "t/closed/d", 0000, 0), 0);
	assert_int_equal(fchmodat(s->fd, "t/closed", 0000, 0), 0);
	remove_tree(s, "t");
}

/* The same without the power to ignore modes. */
static void test_remove_without_permission_as_a_user(void **state)
{
	const struct scratch *s = *state;
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	assert_int_equal(fchmod(s->fd, 0777), 0);
	pid = fork();
	if (pid == 0) {
		struct err err = ERR_INIT;

		if (setgid(65534) < 0 || setuid(65534) < 0 || mkdirat(s->fd, "t", 0700) < 0 ||
		    mkdirat(s->fd, "t/d", 0700) < 0 || mkdirat(s->fd, "t/d/e", 0700) < 0 ||
		    fchmodat(s->fd, "t/d", 0000, 0) < 0 || fchmodat(s->fd, "t", 0500, 0) < 0)
			_exit(2);
		if (fd_remove_tree(s->fd, "t", &err) == 0)
			_exit(0);
		fprintf(stderr, "%s\n", err.text);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_gone(s, "t");
}

static void test_remove_of_10000_levels(void **state)
{
	const struct scratch *s = *state;
	int dir = dup(s->fd);

	for (int i = 0; i < 10000; i++) {
		int next;

		assert_int_equal(mkdirat(dir, "d", 0700), 0);
		if (i % 100 == 0)
			put(dir, "file", "x");
		next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(dir);
		dir = next;
	}
	close(dir);
	remove_tree(s, "d");
	remove_tree(s, "file");
}

static void test_remove_of_many_files(void **state)
{
	const struct scratch *s = *state;
	char name[32];

	assert_int_equal(mkdirat(s->fd, "t", 0700), 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "t/%d", i);
		put(s->fd, name, "");
	}
	remove_tree(s, "t");
}

static void test_remove_while_it_grows(void **state)
{
	const struct scratch *s = *state;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(mkdirat(s->fd, "t", 0700), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		AUTO_CLOSE int t = openat(s->fd, "t", O_RDONLY | O_DIRECTORY);
		char name[32];

		for (int i = 0; i < 2000; i++) {
			snprintf(name, sizeof(name), "d%d", i);
			if (mkdirat(t, name, 0700) < 0)
				break; /* removed under our feet */
			if (i == 500 && write(ready[1], "x", 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	remove_tree(s, "t");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A bind mount of the same file system looks like any directory to a look at st_dev. */
static int remove_with_mount_inside(const struct scratch *s)
{
	char from[128], to[128];
	struct err err = ERR_INIT;

	snprintf(from, sizeof(from), "%s/precious", s->path);
	snprintf(to, sizeof(to), "%s/t/mnt", s->path);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(from, to, NULL, MS_BIND, NULL) < 0)
		return 77;
	if (fd_remove_tree(s->fd, "t", &err) >= 0)
		return 1;
	if (strcmp(err.text, "cannot remove mnt: something is still mounted there") != 0)
		return 2;
	if (access(from, F_OK) < 0 || faccessat(s->fd, "precious/file", F_OK, 0) < 0)
		return 3;
	/* And where the tree itself is one. */
	if (fd_remove_tree(s->fd, "t/mnt", &err) >= 0)
		return 4;
	return 0;
}

static void test_remove_does_not_cross_mounts(void **state)
{
	const struct scratch *s = *state;
	int status = 0;
	pid_t pid;

	assert_int_equal(mkdirat(s->fd, "precious", 0700), 0);
	put(s->fd, "precious/file", "x");
	assert_int_equal(mkdirat(s->fd, "t", 0700), 0);
	assert_int_equal(mkdirat(s->fd, "t/mnt", 0700), 0);
	pid = fork();
	if (pid == 0)
		_exit(remove_with_mount_inside(s));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	assert_int_equal(faccessat(s->fd, "precious/file", F_OK, 0), 0);
}

static void test_a_directory_is_empty_or_not(void **state)
{
	const struct scratch *s = *state;
	AUTO_CLOSEDIR DIR *dir = NULL;

	assert_int_equal(mkdirat(s->fd, "dir", 0700), 0);
	assert_int_equal(fd_is_empty(s->fd, "dir"), 1);
	assert_int_equal(mkdirat(s->fd, "dir/.hidden", 0700), 0);
	assert_int_equal(fd_is_empty(s->fd, "dir"), 0);
	assert_int_equal(symlinkat("dir", s->fd, "link"), 0);
	assert_int_equal(fd_is_empty(s->fd, "link"), -ENOTDIR);
	assert_int_equal(fd_is_empty(s->fd, "none"), -ENOENT);
	dir = fd_opendir(s->fd, "dir");
	assert_non_null(dir);
	assert_string_equal(fd_readdir(dir)->d_name, ".hidden");
	assert_null(fd_readdir(dir));
	assert_int_equal(errno, 0);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

static void test_what_was_closed_is_not_closed_again(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int closed = fd;

	(void)state;
	assert_true(fd >= 0);
	errno = ENOENT;
	cleanup_close(&closed);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(closed, -1);
	/* The number is somebody else's now. */
	assert_int_equal(open("/dev/null", O_RDONLY | O_CLOEXEC), fd);
	cleanup_close(&closed);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_nothing_leads_out),
		SCRATCH_TEST(test_read_file),
		SCRATCH_TEST(test_read_in_root),
		SCRATCH_TEST(test_replace_file),
		SCRATCH_TEST(test_directories_have_their_mode),
		SCRATCH_TEST(test_a_directory_is_empty_or_not),
		cmocka_unit_test(test_memory_file_is_sealed),
		cmocka_unit_test(test_what_was_closed_is_not_closed_again),
		SCRATCH_TEST(test_remove_of_plain_things),
		SCRATCH_TEST(test_remove_follows_no_symlink),
		SCRATCH_TEST(test_remove_of_strange_names_and_modes),
		SCRATCH_TEST(test_remove_without_permission_as_a_user),
		SCRATCH_TEST(test_remove_of_10000_levels),
		SCRATCH_TEST(test_remove_of_many_files),
		SCRATCH_TEST(test_remove_while_it_grows),
		SCRATCH_TEST(test_remove_does_not_cross_mounts),
	};

	return cmocka_run_group_tests_name("fd", tests, NULL, NULL);
}
