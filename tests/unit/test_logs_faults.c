/* SPDX-License-Identifier: Apache-2.0 */
/* Container logs on full disks, damaged, killed in the middle, and after power cuts. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/fd.h"
#include "store/logs.h"
#include "tests/unit/log_fixture.h"
#include "tests/unit/scratch.h"

static bool is_there(const struct scratch *s, const char *name)
{
	return faccessat(s->fd, name, F_OK, 0) == 0;
}

/* --- full disks --- */

static int fill_disk(const char *path)
{
	char block[1024] = "";
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (fd >= 0 && write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	return errno == ENOSPC ? 0 : -1;
}

static int on_a_full_disk(const char *path)
{
	struct log_writer *writer;
	struct log_record record = { .stream = LOG_STDOUT, .text = "lost", .len = 4 };
	struct log_reader *reader;
	struct err err = ERR_INIT;
	char big[20001], filler[128], text[192];
	int dir, r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", path, "tmpfs", 0, "size=256k") < 0)
		return 77;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	writer = fixture_writer(dir, 0);
	fixture_add(writer, LOG_STDOUT, false, 1, "kept");
	fixture_flush(writer);
	snprintf(filler, sizeof(filler), "%s/filler", path);
	if (fill_disk(filler) < 0)
		return 1;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		fixture_add(writer, LOG_STDOUT, false, 2, big);
		if (log_writer_add(writer, &record, &err) < 0)
			return 2;
		r = log_writer_flush(writer, &err);
		snprintf(text, sizeof(text), "cannot write to %s/log.db: No space left on device",
			 path);
		if (r != -ENOSPC || strcmp(err.text, text) != 0) {
			fprintf(stderr, "%d %s\n", r, err.text);
			return 3;
		}
	}
	if (unlink(filler) < 0)
		return 4;
	fixture_add(writer, LOG_STDOUT, false, 3, "again");
	fixture_flush(writer);
	reader = fixture_reader(dir);
	assert_log_reads(reader, &fixture_all, "1@1:kept 7@3!6 8@3:again ");
	log_reader_close(reader);
	fixture_close(writer);
	close(dir);
	return 0;
}

static void test_a_full_disk_is_counted(void **state)
{
	const struct scratch *s = *state;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(on_a_full_disk(s->path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* --- damage --- */

static int count_call(const struct log_record *record, void *data, struct err *err)
{
	(void)record;
	(void)err;
	++*(int *)data;
	return 0;
}

static void test_a_damaged_log_is_named_and_moved_away(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer;
	struct log_reader *reader = fixture_reader(s->fd);
	struct err err = ERR_INIT;
	char garbage[8192], text[160];
	int calls = 0;

	memset(garbage, 'x', sizeof(garbage));
	assert_int_equal(
		fd_replace_file(s->fd, "log.db", 0600, garbage, sizeof(garbage), false, &err), 0);
	assert_int_equal(log_reader_each(reader, &fixture_all, count_call, &calls, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	snprintf(text, sizeof(text), "%s/log.db is damaged: file is not a database", s->path);
	assert_string_equal(err.text, text);

	writer = fixture_writer(s->fd, 0);
	fixture_add(writer, LOG_STDOUT, false, 5, "new");
	fixture_flush(writer);
	assert_log_reads(reader, &fixture_all, "1@5!0 2@5:new ");
	assert_true(is_there(s, "log.db.damaged"));
	log_reader_close(reader);
	log_writer_discard(writer);
}

static void test_malformed_lines_are_damage(void **state)
{
	static const char *const bad[] = {
		"[]",
		"[[0,1,0]]",
		"[[0,1,0,4]]", /* beyond the text */
		"[[0,1,18446744073709551615,1]]",
		"[[0,1,0,-1]]",
		"[[0,0,0,1]]",
		"[[0,8,0,1]]",
		"[[0,1,0,1],[0,1,0,1]]", /* more than counted */
		"[[0,1,0,1]",
		"[[0,1,0,1]]x",
		"[[,1,0,1]]",
	};
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *reader = fixture_reader(s->fd);
	char path[128], sql[160];
	sqlite3 *db;

	fixture_add(writer, LOG_STDOUT, false, 1, "abc");
	fixture_close(writer);
	snprintf(path, sizeof(path), "%s/log.db", s->path);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct log_query tail = fixture_all;
		struct err err = ERR_INIT;
		int calls = 0;

		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		snprintf(sql, sizeof(sql), "UPDATE chunk SET lines = '%s'", bad[i]);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		assert_int_equal(log_reader_each(reader, &fixture_all, count_call, &calls, &err),
				 -EBADMSG);
		assert_string_equal(err.text, "the log is damaged: malformed lines");
		tail.tail = 1;
		assert_int_equal(log_reader_each(reader, &tail, count_call, &calls, &err),
				 -EBADMSG);
		assert_int_equal(calls, 0);
	}
	log_reader_close(reader);
}

/* --- kill -9 --- */

static void write_until_killed(int dir)
{
	struct log_writer *writer = fixture_writer(dir, 1 << 20);
	char line[301];

	memset(line, 'x', 300);
	line[300] = '\0';
	for (int i = 0;; i++) {
		fixture_add(writer, LOG_STDOUT, false, i, line);
		if (i % 10 == 0)
			fixture_flush(writer);
	}
}

static void test_a_kill_leaves_a_log_that_goes_on(void **state)
{
	const struct scratch *s = *state;
	int64_t last = 0;

	for (int round = 0; round < 25; round++) {
		struct log_totals totals;
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			write_until_killed(s->fd);
		usleep(3000 + (useconds_t)round * 1000);
		/* One reads while it writes, one after its end. */
		totals = fixture_count(s->fd);
		assert_int_equal(totals.holes, 0);
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		totals = fixture_count(s->fd);
		assert_int_equal(totals.holes, 0);
		assert_true(totals.last_seq >= last);
		last = totals.last_seq;
	}
	assert_true(last > 1000);
	assert_false(is_there(s, "log.db.damaged"));
}

/* --- power cuts --- */

/*
 * Any part of the write-ahead log from some place on, and all of the file beside it, may be lost.
 */
static void test_a_power_cut_leaves_a_log_that_goes_on(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct err err = ERR_INIT;
	char *db = NULL, *wal = NULL;
	size_t db_len, wal_len;
	int64_t best = 0;

	for (int i = 0; i < 20; i++) {
		fixture_add(writer, LOG_STDOUT, false, i, "a line of text");
		fixture_flush(writer);
	}
	assert_int_equal(fd_read_file(s->fd, "log.db", 1 << 20, &db, &db_len, &err), 0);
	assert_int_equal(fd_read_file(s->fd, "log.db-wal", 1 << 20, &wal, &wal_len, &err), 0);
	log_writer_discard(writer);
	for (size_t at = 0; at <= wal_len; at += 509) {
		struct log_totals totals;
		size_t kept = at % 2 ? db_len : 0;

		(void)unlinkat(s->fd, "log.db-shm", 0);
		assert_int_equal(fd_replace_file(s->fd, "log.db", 0600, db, kept, false, &err), 0);
		assert_int_equal(fd_replace_file(s->fd, "log.db-wal", 0600, wal, at, false, &err),
				 0);
		totals = fixture_count(s->fd);
		assert_int_equal(totals.holes, 0);
		best = totals.records > best ? totals.records : best;
		writer = fixture_writer(s->fd, 0);
		fixture_add(writer, LOG_STDOUT, false, 100, "again");
		fixture_flush(writer);
		log_writer_discard(writer);
		assert_int_equal(fixture_count(s->fd).records, totals.records + 1);
		assert_false(is_there(s, "log.db.damaged"));
	}
	assert_true(best >= 18);
	free(db);
	free(wal);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_a_full_disk_is_counted),
		SCRATCH_TEST(test_a_damaged_log_is_named_and_moved_away),
		SCRATCH_TEST(test_malformed_lines_are_damage),
		SCRATCH_TEST(test_a_kill_leaves_a_log_that_goes_on),
		SCRATCH_TEST(test_a_power_cut_leaves_a_log_that_goes_on),
	};

	return cmocka_run_group_tests_name("logs_faults", tests, NULL, NULL);
}
