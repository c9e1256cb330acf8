/* SPDX-License-Identifier: Apache-2.0 */
/* Archives into trees that are in use: image/merge.c, image/place.c. */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
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

#include "image/place.h"
#include "store/base/fd.h"
#include "tests/unit/archive_fixture.h"

static int begin(void **state)
{
	struct target *target;
	int r = target_begin(state);

	target = *state;
	target->job.merge = true;
	target->job.uid = geteuid();
	target->job.gid = getegid();
	strcpy(target->job.place, "/");
	return r;
}

static void write_file(struct target *target, const char *path, const char *text)
{
	int fd = openat(target->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static int count(struct target *target)
{
	DIR *dir = fdopendir(openat(target->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void assert_refused(struct target *target, struct made *made, const char *text)
{
	made_end(made);
	assert_true(target_unpack_bytes(target, made->bytes, made->len) < 0);
	assert_string_equal(target->err.text, text);
	target->err = (struct err)ERR_INIT;
	free(made->bytes);
}

static void test_merges(void **state)
{
	struct target *target = *state;
	struct made made;

	assert_int_equal(mkdirat(target->fd, "dir", 0700), 0);
	write_file(target, "dir/kept", "kept");
	write_file(target, "dir/file", "old");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, "./", 0711);
	made_dir(&made, "dir", 0755);
	made_file(&made, "dir/file", "new");
	made_file(&made, "dir/.wh.kept", "a name as any other");
	made_file(&made, "not/named/before", "deep");
	made_symlink(&made, "link", "/etc");
	made_dir(&made, "made", 0750);
	made_file(&made, "made/a", "a");
	made_hardlink(&made, "made/b", "made/a");
	made_put(&made, entry_new("fifo", S_IFIFO | 0640), NULL);
	made_put(&made, entry_new("suid", S_IFREG | 06755), "s");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_holds(target, "dir/kept", "kept");
	assert_holds(target, "dir/file", "new");
	assert_holds(target, "dir/.wh.kept", "a name as any other");
	assert_holds(target, "not/named/before", "deep");
	/* What was there stays what it is; what is new is as told, but without power. */
	assert_int_equal(target_look(target, ".").st_mode & 0777, 0700);
	assert_int_equal(target_look(target, "dir").st_mode & 0777, 0700);
	assert_int_equal(target_look(target, "made").st_mode & 0777, 0750);
	assert_int_equal(target_look(target, "made").st_mtime, MTIME);
	assert_int_equal(target_look(target, "dir/file").st_mode & 07777, 0644);
	assert_int_equal(target_look(target, "suid").st_mode & 07777, 0755);
	assert_true(S_ISFIFO(target_look(target, "fifo").st_mode));
	assert_int_equal(target_look(target, "made/a").st_ino,
			 target_look(target, "made/b").st_ino);
	assert_true(S_ISLNK(target_look(target, "link").st_mode));
}

static void test_exactly(void **state)
{
	struct target *target = *state;
	struct made made;

	target->job.exact = true;
	assert_int_equal(mkdirat(target->fd, "dir", 0700), 0);
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, "dir", 0755);
	made_put(&made, entry_new("dir/suid", S_IFREG | 06755), "s");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_int_equal(target_look(target, "dir").st_mode & 0777, 0755);
	assert_int_equal(target_look(target, "dir").st_mtime, MTIME);
	assert_int_equal(target_look(target, "dir/suid").st_mode & 07777, 06755);
}

static void test_below_a_place(void **state)
{
	struct target *target = *state;
	struct made made;

	assert_int_equal(mkdirat(target->fd, "real", 0700), 0);
	assert_int_equal(symlinkat("/real", target->fd, "place"), 0);
	strcpy(target->job.place, "/place");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "/file", "in it");
	made_file(&made, "a", "a");
	made_hardlink(&made, "b", "a");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_holds(target, "real/file", "in it");
	assert_holds(target, "real/b", "a");
	assert_int_equal(count(target), 2);
}

static void test_refuses(void **state)
{
	struct target *target = *state;
	struct made made;

	assert_int_equal(mkdirat(target->fd, "dir", 0700), 0);
	write_file(target, "file", "old");
	assert_int_equal(symlinkat("dir", target->fd, "link"), 0);
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "dir", "x");
	assert_refused(target, &made, "dir: there is a directory, which is not replaced");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_symlink(&made, "dir", "x");
	assert_refused(target, &made, "dir: there is a directory, which is not replaced");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, "file", 0755);
	assert_refused(target, &made,
		       "file/: there is something that is no directory, which is not replaced");
	/* A symlink is not a directory, wherever it leads. */
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_dir(&made, "link", 0755);
	assert_refused(target, &made,
		       "link/: there is something that is no directory, which is not replaced");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "a/../../b", "x");
	assert_refused(target, &made, "a/../../b: the name has a '..' component");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_hardlink(&made, "h", "nothing");
	assert_refused(target, &made, "h: hard link to nothing: No such file or directory");
	assert_holds(target, "file", "old");
	assert_int_equal(count(target), 3);
}

/* Symlinks of the tree lead within it; the last name of an entry is never followed. */
static void test_symlinks(void **state)
{
	struct target *target = *state;
	char outside[] = "/tmp/cman-test-outside.XXXXXX", up[128];
	struct made made;

	assert_true(mkdtemp(outside));
	snprintf(up, sizeof(up), "../../..%s", outside);
	assert_int_equal(symlinkat(outside, target->fd, "abs"), 0);
	assert_int_equal(symlinkat(up, target->fd, "up"), 0);
	assert_int_equal(symlinkat("file", target->fd, "last"), 0);
	write_file(target, "file", "old");
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "abs/x", "x");
	made_end(&made);
	assert_true(target_unpack_bytes(target, made.bytes, made.len) < 0);
	free(made.bytes);
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "up/x", "x");
	made_end(&made);
	assert_true(target_unpack_bytes(target, made.bytes, made.len) < 0);
	free(made.bytes);
	target->err = (struct err)ERR_INIT;
	made_begin(&made, ARCHIVE_FILTER_NONE);
	made_file(&made, "last", "new");
	assert_int_equal(target_unpack(target, &made), 0);
	assert_holds(target, "file", "old");
	assert_holds(target, "last", "new");
	assert_int_equal(rmdir(outside), 0); /* nothing is in it */
}

static void test_places(void **state)
{
	struct target *target = *state;
	const struct {
		const char *path;
		bool follow;
		int result;
		const char *found; /* as place_path() */
		bool there;
	} cases[] = {
		{ "/", false, 0, "/", true },
		{ "/dir/.", false, 0, "/dir/.", true },
		{ "/dir/new", false, 0, "/dir/new", false },
		{ "/link", false, 0, "/link", true },
		{ "/link", true, 0, "/dir", true },
		{ "/link/", false, 0, "/dir", true },
		{ "/link/file", false, 0, "/link/file", true },
		{ "/dangling", true, 0, "/dir/none", false },
		{ "/outside", true, 0, "//../../dir", true },
		{ "/dir/file/", false, -ENOTDIR, NULL, false },
		{ "/none/file", false, -ENOENT, NULL, false },
		{ "/loop", true, -ELOOP, NULL, false },
		{ "/loop", false, 0, "/loop", true },
	};

	assert_int_equal(mkdirat(target->fd, "dir", 0700), 0);
	write_file(target, "dir/file", "x");
	assert_int_equal(symlinkat("dir", target->fd, "link"), 0);
	assert_int_equal(symlinkat("/dir/none", target->fd, "dangling"), 0);
	assert_int_equal(symlinkat("../../dir", target->fd, "outside"), 0);
	assert_int_equal(symlinkat("loop", target->fd, "loop"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_PLACE struct place place = PLACE_INIT;
		struct err err = ERR_INIT;
		char *path;

		print_message("%s\n", cases[i].path);
		assert_int_equal(
			place_find(target->fd, cases[i].path, cases[i].follow, &place, &err),
			cases[i].result);
		if (cases[i].result < 0)
			continue;
		path = place_path(&place);
		assert_string_equal(path, cases[i].found);
		assert_int_equal(place.there, cases[i].there);
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_merges, begin, target_end),
		cmocka_unit_test_setup_teardown(test_exactly, begin, target_end),
		cmocka_unit_test_setup_teardown(test_below_a_place, begin, target_end),
		cmocka_unit_test_setup_teardown(test_refuses, begin, target_end),
		cmocka_unit_test_setup_teardown(test_symlinks, begin, target_end),
		cmocka_unit_test_setup_teardown(test_places, begin, target_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
