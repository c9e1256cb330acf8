/* SPDX-License-Identifier: Apache-2.0 */
/* Container logs: what is written is read, and what could not be kept is counted. */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/logs.h"
#include "tests/unit/scratch.h"

static const struct log_query everything = { .since_ns = INT64_MIN,
					     .until_ns = INT64_MAX,
					     .tail = -1 };

static struct log_writer *new_writer(int dir, int64_t max_bytes)
{
	const struct log_limits limits = { .max_bytes = max_bytes };
	struct log_writer *writer = NULL;
	struct err err = ERR_INIT;

	if (log_writer_new(dir, &limits, &writer, &err) < 0)
		fail_msg("%s", err.text);
	return writer;
}

static struct log_reader *new_reader(int dir)
{
	struct log_reader *reader = NULL;
	struct err err = ERR_INIT;

	if (log_reader_open(dir, &reader, &err) < 0)
		fail_msg("%s", err.text);
	return reader;
}

static void add(struct log_writer *writer, int stream, bool partial, int64_t time, const char *text)
{
	const struct log_record record = {
		.time_ns = time,
		.stream = (enum log_stream)stream,
		.partial = partial,
		.text = text,
		.len = strlen(text),
	};
	struct err err = ERR_INIT;

	if (log_writer_add(writer, &record, &err) < 0)
		fail_msg("%s", err.text);
}

static void flush(struct log_writer *writer)
{
	struct err err = ERR_INIT;

	if (log_writer_flush(writer, &err) < 0)
		fail_msg("%s", err.text);
}

static void close_writer(struct log_writer *writer)
{
	struct err err = ERR_INIT;

	if (log_writer_close(writer, &err) < 0)
		fail_msg("%s", err.text);
}

/* "seq@time:text " with > for stderr and + after a part; "seq@time!lost " for a gap. */
static int note(const struct log_record *record, void *data, struct err *err)
{
	struct buf *out = data;

	(void)err;
	buf_addf(out, "%lld@%lld", (long long)record->seq, (long long)record->time_ns);
	if (record->stream == LOG_GAP) {
		assert_null(record->text);
		buf_addf(out, "!%zu ", record->len);
		return 0;
	}
	buf_addch(out, record->stream == LOG_STDERR ? '>' : ':');
	buf_add(out, record->text, record->len);
	buf_addstr(out, record->partial ? "+ " : " ");
	return 0;
}

static void assert_reads(struct log_reader *reader, const struct log_query *query,
			 const char *expected)
{
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (log_reader_each(reader, query, note, &out, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(out.data ? out.data : "", expected);
}

static bool is_there(const struct scratch *s, const char *name)
{
	return faccessat(s->fd, name, F_OK, 0) == 0;
}

/* --- writing and reading --- */

static void test_what_is_written_is_read(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *reader = new_reader(s->fd);
	struct stat st;

	assert_false(is_there(s, "log.db"));
	assert_reads(reader, &everything, "");
	add(writer, LOG_STDOUT, false, 100, "one");
	add(writer, LOG_STDERR, false, 101, "two");
	assert_true(log_writer_pending(writer) > 6);
	assert_false(is_there(s, "log.db"));
	flush(writer);
	assert_int_equal(log_writer_pending(writer), 0);
	assert_reads(reader, &everything, "1@100:one 2@101>two ");
	add(writer, LOG_STDOUT, true, 102, "thr");
	add(writer, LOG_STDOUT, false, 99, "ee");
	add(writer, LOG_STDOUT, false, 103, "");
	assert_reads(reader, &everything, "1@100:one 2@101>two ");
	flush(writer);
	assert_reads(reader, &everything, "1@100:one 2@101>two 3@102:thr+ 4@99:ee 5@103: ");
	log_reader_close(reader);
	close_writer(writer);
	assert_int_equal(fstatat(s->fd, "log.db", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_any_bytes(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *reader = new_reader(s->fd);
	struct log_record record = { .stream = LOG_STDOUT, .text = "a\0\xff'\"]", .len = 6 };
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(log_writer_add(writer, &record, &err), 0);
	flush(writer);
	assert_int_equal(log_reader_each(reader, &everything, note, &out, &err), 0);
	assert_int_equal(out.len, 11);
	assert_memory_equal(out.data, "1@0:a\0\xff'\"] ", 11);
	log_reader_close(reader);
	log_writer_discard(writer);
}

static void test_a_silent_container_has_no_log(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);

	flush(writer);
	close_writer(writer);
	assert_false(is_there(s, "log.db"));
}

static void test_an_empty_line_is_pending(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);

	assert_int_equal(log_writer_pending(writer), 0);
	add(writer, LOG_STDOUT, false, 1, "");
	assert_true(log_writer_pending(writer) > 0);
	log_writer_discard(writer);
}

static void test_a_log_to_be_removed(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *follower = new_reader(s->fd);

	/* Nobody can have opened it: it is not made. */
	add(writer, LOG_STDOUT, false, 1, "a");
	log_writer_discard(writer);
	log_writer_discard(NULL);
	assert_false(is_there(s, "log.db"));
	/* Who follows one gets all of it. */
	writer = new_writer(s->fd, 0);
	add(writer, LOG_STDOUT, false, 1, "a");
	flush(writer);
	add(writer, LOG_STDOUT, false, 2, "b");
	log_writer_discard(writer);
	assert_reads(follower, &everything, "1@1:a 2@2:b ");
	log_reader_close(follower);
}

static void test_a_large_batch_flushes_itself(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *reader = new_reader(s->fd);
	const struct log_query last = { INT64_MIN, INT64_MAX, 1, 0 };
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	char line[1000];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 100; i++)
		add(writer, LOG_STDOUT, false, i, line);
	assert_true(log_writer_pending(writer) < 34 << 10);
	assert_int_equal(log_reader_each(reader, &last, note, &out, &err), 0);
	assert_true(atoi(out.data) > 60);
	log_reader_close(reader);
	log_writer_discard(writer);
}

static void test_a_long_log_ends_as_one_file(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *reader;
	const struct log_query last = { INT64_MIN, INT64_MAX, 1, 0 };
	char line[1001];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 2000; i++)
		add(writer, LOG_STDOUT, false, i, line);
	add(writer, LOG_STDOUT, false, 5000, "last");
	close_writer(writer);
	assert_false(is_there(s, "log.db-wal"));
	reader = new_reader(s->fd);
	assert_reads(reader, &last, "2001@5000:last ");
	log_reader_close(reader);
}

static void test_another_writer_goes_on(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *reader = new_reader(s->fd);

	add(writer, LOG_STDOUT, false, 100, "a");
	add(writer, LOG_STDOUT, false, 101, "b");
	flush(writer);
	log_writer_discard(writer);
	writer = new_writer(s->fd, 0);
	add(writer, LOG_STDOUT, false, 50, "c");
	close_writer(writer);
	assert_reads(reader, &everything, "1@100:a 2@101:b 3@50:c ");
	log_reader_close(reader);
}

/* --- queries --- */

static struct log_reader *write_many(const struct scratch *s, int count, int per_batch)
{
	struct log_writer *writer = new_writer(s->fd, 0);
	char text[16];

	for (int i = 1; i <= count; i++) {
		snprintf(text, sizeof(text), "l%d", i);
		add(writer, LOG_STDOUT, false, i * 10, text);
		if (i % per_batch == 0)
			flush(writer);
	}
	close_writer(writer);
	return new_reader(s->fd);
}

static void test_times(void **state)
{
	const struct scratch *s = *state;
	struct log_reader *reader = write_many(s, 100, 7);
	struct log_query query = everything;

	query.since_ns = 970;
	assert_reads(reader, &query, "97@970:l97 98@980:l98 99@990:l99 100@1000:l100 ");
	query.since_ns = 961;
	query.until_ns = 980;
	assert_reads(reader, &query, "97@970:l97 98@980:l98 ");
	query.since_ns = INT64_MIN;
	query.until_ns = 20;
	assert_reads(reader, &query, "1@10:l1 2@20:l2 ");
	query.since_ns = 5000;
	query.until_ns = INT64_MAX;
	assert_reads(reader, &query, "");
	query.since_ns = INT64_MAX;
	assert_reads(reader, &query, "");
	log_reader_close(reader);
}

/* The search by halves must find every border, wherever in its batch it is. */
static void test_every_since(void **state)
{
	const struct scratch *s = *state;
	struct log_reader *reader = write_many(s, 60, 7);
	struct log_query query = everything;

	for (int first = 1; first <= 60; first++) {
		AUTO_BUF struct buf expected = BUF_INIT;

		for (int i = first; i <= 60; i++)
			buf_addf(&expected, "%d@%d:l%d ", i, i * 10, i);
		query.since_ns = first * 10 - 5;
		assert_reads(reader, &query, expected.data);
	}
	log_reader_close(reader);
}

static void test_a_clock_that_goes_back(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *reader = new_reader(s->fd);
	struct log_query query = everything;

	add(writer, LOG_STDOUT, false, 1000, "future");
	flush(writer);
	add(writer, LOG_STDOUT, false, 100, "back");
	flush(writer);
	add(writer, LOG_STDOUT, false, 200, "later");
	flush(writer);
	query.since_ns = 150;
	assert_reads(reader, &query, "1@1000:future 3@200:later ");
	query.until_ns = 300;
	assert_reads(reader, &query, "3@200:later ");
	log_reader_close(reader);
	log_writer_discard(writer);
}

static void test_tail(void **state)
{
	const struct scratch *s = *state;
	struct log_reader *reader = write_many(s, 100, 7);
	struct log_query query = everything;

	query.tail = 3;
	assert_reads(reader, &query, "98@980:l98 99@990:l99 100@1000:l100 ");
	query.tail = 0;
	assert_reads(reader, &query, "");
	query.tail = 2;
	query.until_ns = 500;
	assert_reads(reader, &query, "49@490:l49 50@500:l50 ");
	query.since_ns = 500;
	assert_reads(reader, &query, "50@500:l50 ");
	query = everything;
	query.tail = 5;
	query.after_seq = 98;
	assert_reads(reader, &query, "99@990:l99 100@1000:l100 ");
	log_reader_close(reader);
}

static void test_tail_counts_lines_not_parts(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *reader = new_reader(s->fd);
	struct log_query query = everything;

	add(writer, LOG_STDOUT, false, 1, "first");
	add(writer, LOG_STDOUT, true, 2, "a");
	flush(writer);
	add(writer, LOG_STDOUT, true, 3, "b");
	add(writer, LOG_STDERR, false, 4, "err");
	flush(writer);
	add(writer, LOG_STDOUT, false, 5, "c");
	add(writer, LOG_STDOUT, true, 6, "prompt");
	flush(writer);
	query.tail = 1;
	assert_reads(reader, &query, "6@6:prompt+ ");
	query.tail = 2;
	assert_reads(reader, &query, "5@5:c 6@6:prompt+ ");
	query.tail = 3;
	assert_reads(reader, &query, "2@2:a+ 3@3:b+ 4@4>err 5@5:c 6@6:prompt+ ");
	query.tail = 4;
	assert_reads(reader, &query, "1@1:first 2@2:a+ 3@3:b+ 4@4>err 5@5:c 6@6:prompt+ ");
	log_reader_close(reader);
	log_writer_discard(writer);
}

static int stop_at_3(const struct log_record *record, void *data, struct err *err)
{
	(void)err;
	++*(int *)data;
	return record->seq == 3 ? -ECANCELED : 0;
}

static void test_following_and_stopping(void **state)
{
	const struct scratch *s = *state;
	struct log_reader *reader = write_many(s, 10, 4);
	struct log_query query = everything;
	struct err err = ERR_INIT;
	int seen = 0;

	assert_int_equal(log_reader_each(reader, &query, stop_at_3, &seen, &err), -ECANCELED);
	assert_int_equal(seen, 3);
	query.after_seq = 8;
	assert_reads(reader, &query, "9@90:l9 10@100:l10 ");
	query.after_seq = 10;
	assert_reads(reader, &query, "");
	log_reader_close(reader);
}

/* --- bounds and gaps --- */

struct totals {
	int64_t records;
	int64_t lost;
	int64_t last_seq;
	int gaps;
	int holes;
};

static int count_record(const struct log_record *record, void *data, struct err *err)
{
	struct totals *t = data;
	int64_t stands_for = record->stream == LOG_GAP ? (int64_t)record->len : 1;

	(void)err;
	if (record->stream == LOG_GAP) {
		t->gaps++;
		t->lost += (int64_t)record->len;
	} else {
		t->records++;
	}
	t->holes += record->seq - stands_for != t->last_seq;
	t->last_seq = record->seq;
	return 0;
}

static struct totals count_all(int dir)
{
	struct log_reader *reader = new_reader(dir);
	struct totals totals = { 0 };
	struct err err = ERR_INIT;

	if (log_reader_each(reader, &everything, count_record, &totals, &err) < 0)
		fail_msg("%s", err.text);
	log_reader_close(reader);
	return totals;
}

static void test_the_oldest_go_first(void **state)
{
	const struct scratch *s = *state;
	const int64_t max = 1 << 20;
	struct log_writer *writer = new_writer(s->fd, max);
	struct totals totals;
	char line[101];
	struct stat st;

	memset(line, 'x', 100);
	line[100] = '\0';
	/* Small batches and large ones. */
	for (int i = 0; i < 60000; i++) {
		add(writer, LOG_STDOUT, false, i, line);
		if (i < 3000)
			flush(writer);
	}
	close_writer(writer);
	assert_int_equal(fstatat(s->fd, "log.db", &st, 0), 0);
	assert_true(st.st_size <= max);
	totals = count_all(s->fd);
	assert_int_equal(totals.gaps, 1);
	assert_int_equal(totals.holes, 0);
	assert_int_equal(totals.records + totals.lost, 60000);
	assert_int_equal(totals.last_seq, 60000);
	/* Most of the room is used. */
	assert_true(totals.records > 6000);
}

static void test_a_gap_tells_only_of_what_was_not_seen(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 1);
	struct log_reader *reader = new_reader(s->fd);
	struct log_query query = everything;
	struct totals totals = { .last_seq = 1000 };
	struct err err = ERR_INIT;

	for (int i = 1; i <= 20000; i++)
		add(writer, LOG_STDOUT, false, i, "0123456789012345678901234567890123456789");
	flush(writer);
	query.after_seq = 1000;
	assert_int_equal(log_reader_each(reader, &query, count_record, &totals, &err), 0);
	assert_int_equal(totals.gaps, 1);
	assert_int_equal(totals.holes, 0);
	assert_int_equal(totals.records + totals.lost, 19000);
	log_reader_close(reader);
	log_writer_discard(writer);
}

static void test_a_gap_the_caller_knows_of(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *reader = new_reader(s->fd);
	const struct log_record gap = { .stream = LOG_GAP, .time_ns = 5, .len = 7 };
	struct err err = ERR_INIT;

	add(writer, LOG_STDOUT, false, 4, "a");
	assert_int_equal(log_writer_add(writer, &gap, &err), 0);
	add(writer, LOG_STDOUT, false, 6, "b");
	flush(writer);
	assert_reads(reader, &everything, "1@4:a 8@6!7 9@6:b ");
	log_reader_close(reader);
	log_writer_discard(writer);
}

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
	writer = new_writer(dir, 0);
	add(writer, LOG_STDOUT, false, 1, "kept");
	flush(writer);
	snprintf(filler, sizeof(filler), "%s/filler", path);
	if (fill_disk(filler) < 0)
		return 1;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		add(writer, LOG_STDOUT, false, 2, big);
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
	add(writer, LOG_STDOUT, false, 3, "again");
	flush(writer);
	reader = new_reader(dir);
	assert_reads(reader, &everything, "1@1:kept 7@3!6 8@3:again ");
	log_reader_close(reader);
	close_writer(writer);
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

static void test_a_damaged_log_is_named_and_moved_away(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer;
	struct log_reader *reader = new_reader(s->fd);
	struct err err = ERR_INIT;
	char garbage[8192], text[160];
	int calls = 0;

	memset(garbage, 'x', sizeof(garbage));
	assert_int_equal(
		fd_replace_file(s->fd, "log.db", 0600, garbage, sizeof(garbage), false, &err), 0);
	assert_int_equal(log_reader_each(reader, &everything, stop_at_3, &calls, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	snprintf(text, sizeof(text), "%s/log.db is damaged: file is not a database", s->path);
	assert_string_equal(err.text, text);

	writer = new_writer(s->fd, 0);
	add(writer, LOG_STDOUT, false, 5, "new");
	flush(writer);
	assert_reads(reader, &everything, "1@5!0 2@5:new ");
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
	struct log_writer *writer = new_writer(s->fd, 0);
	struct log_reader *reader = new_reader(s->fd);
	char path[128], sql[160];
	sqlite3 *db;

	add(writer, LOG_STDOUT, false, 1, "abc");
	close_writer(writer);
	snprintf(path, sizeof(path), "%s/log.db", s->path);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct log_query tail = everything;
		struct err err = ERR_INIT;
		int calls = 0;

		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		snprintf(sql, sizeof(sql), "UPDATE chunk SET lines = '%s'", bad[i]);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		assert_int_equal(log_reader_each(reader, &everything, stop_at_3, &calls, &err),
				 -EBADMSG);
		assert_string_equal(err.text, "the log is damaged: malformed lines");
		tail.tail = 1;
		assert_int_equal(log_reader_each(reader, &tail, stop_at_3, &calls, &err), -EBADMSG);
		assert_int_equal(calls, 0);
	}
	log_reader_close(reader);
}

/* --- kill -9 --- */

static void write_until_killed(int dir)
{
	struct log_writer *writer = new_writer(dir, 1 << 20);
	char line[301];

	memset(line, 'x', 300);
	line[300] = '\0';
	for (int i = 0;; i++) {
		add(writer, LOG_STDOUT, false, i, line);
		if (i % 10 == 0)
			flush(writer);
	}
}

static void test_a_kill_leaves_a_log_that_goes_on(void **state)
{
	const struct scratch *s = *state;
	int64_t last = 0;

	for (int round = 0; round < 25; round++) {
		struct totals totals;
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			write_until_killed(s->fd);
		usleep(3000 + (useconds_t)round * 1000);
		/* One reads while it writes, one after its end. */
		totals = count_all(s->fd);
		assert_int_equal(totals.holes, 0);
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		totals = count_all(s->fd);
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
	struct log_writer *writer = new_writer(s->fd, 0);
	struct err err = ERR_INIT;
	char *db = NULL, *wal = NULL;
	size_t db_len, wal_len;
	int64_t best = 0;

	for (int i = 0; i < 20; i++) {
		add(writer, LOG_STDOUT, false, i, "a line of text");
		flush(writer);
	}
	assert_int_equal(fd_read_file(s->fd, "log.db", 1 << 20, &db, &db_len, &err), 0);
	assert_int_equal(fd_read_file(s->fd, "log.db-wal", 1 << 20, &wal, &wal_len, &err), 0);
	log_writer_discard(writer);
	for (size_t at = 0; at <= wal_len; at += 509) {
		struct totals totals;
		size_t kept = at % 2 ? db_len : 0;

		(void)unlinkat(s->fd, "log.db-shm", 0);
		assert_int_equal(fd_replace_file(s->fd, "log.db", 0600, db, kept, false, &err), 0);
		assert_int_equal(fd_replace_file(s->fd, "log.db-wal", 0600, wal, at, false, &err),
				 0);
		totals = count_all(s->fd);
		assert_int_equal(totals.holes, 0);
		best = totals.records > best ? totals.records : best;
		writer = new_writer(s->fd, 0);
		add(writer, LOG_STDOUT, false, 100, "again");
		flush(writer);
		log_writer_discard(writer);
		assert_int_equal(count_all(s->fd).records, totals.records + 1);
		assert_false(is_there(s, "log.db.damaged"));
	}
	assert_true(best >= 18);
	free(db);
	free(wal);
}

/* --- the view --- */

static int add_row(void *data, int columns, char **values, char **names)
{
	(void)names;
	for (int i = 0; i < columns; i++)
		buf_addf(data, "%s%s", i ? "|" : "", values[i] ? values[i] : "-");
	buf_addch(data, '\n');
	return 0;
}

static void test_the_view_for_people(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = new_writer(s->fd, 0);
	const struct log_record gap = { .stream = LOG_GAP, .len = 3 };
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	char path[128];
	sqlite3 *db;

	add(writer, LOG_STDOUT, true, 1700000000000000005, "h\xc3\xa9");
	add(writer, LOG_STDERR, false, 1700000000000000003, "two");
	assert_int_equal(log_writer_add(writer, &gap, &err), 0);
	add(writer, LOG_STDOUT, false, 1700000001000000000, "");
	close_writer(writer);
	snprintf(path, sizeof(path), "%s/log.db", s->path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "SELECT seq, time_ns, stream, partial, text, time, lost"
				      " FROM logs ORDER BY seq",
				      add_row, &out, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_string_equal(out.data,
			    "1|1700000000000000005|stdout|1|h\xc3\xa9|2023-11-14T22:13:20Z|0\n"
			    "2|1700000000000000003|stderr|0|two|2023-11-14T22:13:20Z|0\n"
			    "5|1700000001000000000|gap|0|-|2023-11-14T22:13:21Z|3\n"
			    "6|1700000001000000000|stdout|0||2023-11-14T22:13:21Z|0\n");
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_what_is_written_is_read),
		SCRATCH_TEST(test_any_bytes),
		SCRATCH_TEST(test_a_silent_container_has_no_log),
		SCRATCH_TEST(test_an_empty_line_is_pending),
		SCRATCH_TEST(test_a_log_to_be_removed),
		SCRATCH_TEST(test_a_large_batch_flushes_itself),
		SCRATCH_TEST(test_a_long_log_ends_as_one_file),
		SCRATCH_TEST(test_another_writer_goes_on),
		SCRATCH_TEST(test_times),
		SCRATCH_TEST(test_every_since),
		SCRATCH_TEST(test_a_clock_that_goes_back),
		SCRATCH_TEST(test_tail),
		SCRATCH_TEST(test_tail_counts_lines_not_parts),
		SCRATCH_TEST(test_following_and_stopping),
		SCRATCH_TEST(test_the_oldest_go_first),
		SCRATCH_TEST(test_a_gap_tells_only_of_what_was_not_seen),
		SCRATCH_TEST(test_a_gap_the_caller_knows_of),
		SCRATCH_TEST(test_a_full_disk_is_counted),
		SCRATCH_TEST(test_a_damaged_log_is_named_and_moved_away),
		SCRATCH_TEST(test_malformed_lines_are_damage),
		SCRATCH_TEST(test_a_kill_leaves_a_log_that_goes_on),
		SCRATCH_TEST(test_a_power_cut_leaves_a_log_that_goes_on),
		SCRATCH_TEST(test_the_view_for_people),
	};

	return cmocka_run_group_tests_name("logs", tests, NULL, NULL);
}
