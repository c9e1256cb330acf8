/* SPDX-License-Identifier: Apache-2.0 */
/* Container logs: what is written is read, and what could not be kept is counted. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/logs.h"
#include "tests/unit/log_fixture.h"
#include "tests/unit/scratch.h"

static bool is_there(const struct scratch *s, const char *name)
{
	return faccessat(s->fd, name, F_OK, 0) == 0;
}

/* --- writing and reading --- */

static void test_what_is_written_is_read(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *reader = fixture_reader(s->fd);
	struct stat st;

	assert_false(is_there(s, "log.db"));
	assert_log_reads(reader, &fixture_all, "");
	fixture_add(writer, LOG_STDOUT, false, 100, "one");
	fixture_add(writer, LOG_STDERR, false, 101, "two");
	assert_true(log_writer_pending(writer) > 6);
	assert_false(is_there(s, "log.db"));
	fixture_flush(writer);
	assert_int_equal(log_writer_pending(writer), 0);
	assert_log_reads(reader, &fixture_all, "1@100:one 2@101>two ");
	fixture_add(writer, LOG_STDOUT, true, 102, "thr");
	fixture_add(writer, LOG_STDOUT, false, 99, "ee");
	fixture_add(writer, LOG_STDOUT, false, 103, "");
	assert_log_reads(reader, &fixture_all, "1@100:one 2@101>two ");
	fixture_flush(writer);
	assert_log_reads(reader, &fixture_all, "1@100:one 2@101>two 3@102:thr+ 4@99:ee 5@103: ");
	log_reader_close(reader);
	fixture_close(writer);
	assert_int_equal(fstatat(s->fd, "log.db", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_any_bytes(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *reader = fixture_reader(s->fd);
	struct log_record record = { .stream = LOG_STDOUT, .text = "a\0\xff'\"]", .len = 6 };
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(log_writer_add(writer, &record, &err), 0);
	fixture_flush(writer);
	assert_int_equal(log_reader_each(reader, &fixture_all, fixture_note, &out, &err), 0);
	assert_int_equal(out.len, 11);
	assert_memory_equal(out.data, "1@0:a\0\xff'\"] ", 11);
	log_reader_close(reader);
	log_writer_discard(writer);
}

static void test_a_silent_container_has_no_log(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);

	fixture_flush(writer);
	fixture_close(writer);
	assert_false(is_there(s, "log.db"));
}

static void test_an_empty_line_is_pending(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);

	assert_int_equal(log_writer_pending(writer), 0);
	fixture_add(writer, LOG_STDOUT, false, 1, "");
	assert_true(log_writer_pending(writer) > 0);
	log_writer_discard(writer);
}

static void test_a_log_to_be_removed(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *follower = fixture_reader(s->fd);

	/* Nobody can have opened it: it is not made. */
	fixture_add(writer, LOG_STDOUT, false, 1, "a");
	log_writer_discard(writer);
	log_writer_discard(NULL);
	assert_false(is_there(s, "log.db"));
	/* Who follows one gets all of it. */
	writer = fixture_writer(s->fd, 0);
	fixture_add(writer, LOG_STDOUT, false, 1, "a");
	fixture_flush(writer);
	fixture_add(writer, LOG_STDOUT, false, 2, "b");
	log_writer_discard(writer);
	assert_log_reads(follower, &fixture_all, "1@1:a 2@2:b ");
	log_reader_close(follower);
}

static void test_a_large_batch_flushes_itself(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *reader = fixture_reader(s->fd);
	const struct log_query last = { INT64_MIN, INT64_MAX, 1, 0 };
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	char line[1000];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 100; i++)
		fixture_add(writer, LOG_STDOUT, false, i, line);
	assert_true(log_writer_pending(writer) < 34 << 10);
	assert_int_equal(log_reader_each(reader, &last, fixture_note, &out, &err), 0);
	assert_true(atoi(out.data) > 60);
	log_reader_close(reader);
	log_writer_discard(writer);
}

static void test_a_long_log_ends_as_one_file(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *reader;
	const struct log_query last = { INT64_MIN, INT64_MAX, 1, 0 };
	char line[1001];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 2000; i++)
		fixture_add(writer, LOG_STDOUT, false, i, line);
	fixture_add(writer, LOG_STDOUT, false, 5000, "last");
	fixture_close(writer);
	assert_false(is_there(s, "log.db-wal"));
	reader = fixture_reader(s->fd);
	assert_log_reads(reader, &last, "2001@5000:last ");
	log_reader_close(reader);
}

static void test_another_writer_goes_on(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *reader = fixture_reader(s->fd);

	fixture_add(writer, LOG_STDOUT, false, 100, "a");
	fixture_add(writer, LOG_STDOUT, false, 101, "b");
	fixture_flush(writer);
	log_writer_discard(writer);
	writer = fixture_writer(s->fd, 0);
	fixture_add(writer, LOG_STDOUT, false, 50, "c");
	fixture_close(writer);
	assert_log_reads(reader, &fixture_all, "1@100:a 2@101:b 3@50:c ");
	log_reader_close(reader);
}

/* --- queries --- */

static struct log_reader *write_many(const struct scratch *s, int count, int per_batch)
{
	struct log_writer *writer = fixture_writer(s->fd, 0);
	char text[16];

	for (int i = 1; i <= count; i++) {
		snprintf(text, sizeof(text), "l%d", i);
		fixture_add(writer, LOG_STDOUT, false, i * 10, text);
		if (i % per_batch == 0)
			fixture_flush(writer);
	}
	fixture_close(writer);
	return fixture_reader(s->fd);
}

static void test_times(void **state)
{
	const struct scratch *s = *state;
	struct log_reader *reader = write_many(s, 100, 7);
	struct log_query query = fixture_all;

	query.since_ns = 970;
	assert_log_reads(reader, &query, "97@970:l97 98@980:l98 99@990:l99 100@1000:l100 ");
	query.since_ns = 961;
	query.until_ns = 980;
	assert_log_reads(reader, &query, "97@970:l97 98@980:l98 ");
	query.since_ns = INT64_MIN;
	query.until_ns = 20;
	assert_log_reads(reader, &query, "1@10:l1 2@20:l2 ");
	query.since_ns = 5000;
	query.until_ns = INT64_MAX;
	assert_log_reads(reader, &query, "");
	query.since_ns = INT64_MAX;
	assert_log_reads(reader, &query, "");
	log_reader_close(reader);
}

/* The search by halves must find every border, wherever in its batch it is. */
static void test_every_since(void **state)
{
	const struct scratch *s = *state;
	struct log_reader *reader = write_many(s, 60, 7);
	struct log_query query = fixture_all;

	for (int first = 1; first <= 60; first++) {
		AUTO_BUF struct buf expected = BUF_INIT;

		for (int i = first; i <= 60; i++)
			buf_addf(&expected, "%d@%d:l%d ", i, i * 10, i);
		query.since_ns = first * 10 - 5;
		assert_log_reads(reader, &query, expected.data);
	}
	log_reader_close(reader);
}

static void test_a_clock_that_goes_back(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *reader = fixture_reader(s->fd);
	struct log_query query = fixture_all;

	fixture_add(writer, LOG_STDOUT, false, 1000, "future");
	fixture_flush(writer);
	fixture_add(writer, LOG_STDOUT, false, 100, "back");
	fixture_flush(writer);
	fixture_add(writer, LOG_STDOUT, false, 200, "later");
	fixture_flush(writer);
	query.since_ns = 150;
	assert_log_reads(reader, &query, "1@1000:future 3@200:later ");
	query.until_ns = 300;
	assert_log_reads(reader, &query, "3@200:later ");
	log_reader_close(reader);
	log_writer_discard(writer);
}

static void test_tail(void **state)
{
	const struct scratch *s = *state;
	struct log_reader *reader = write_many(s, 100, 7);
	struct log_query query = fixture_all;

	query.tail = 3;
	assert_log_reads(reader, &query, "98@980:l98 99@990:l99 100@1000:l100 ");
	query.tail = 0;
	assert_log_reads(reader, &query, "");
	query.tail = 2;
	query.until_ns = 500;
	assert_log_reads(reader, &query, "49@490:l49 50@500:l50 ");
	query.since_ns = 500;
	assert_log_reads(reader, &query, "50@500:l50 ");
	query = fixture_all;
	query.tail = 5;
	query.after_seq = 98;
	assert_log_reads(reader, &query, "99@990:l99 100@1000:l100 ");
	log_reader_close(reader);
}

static void test_tail_counts_lines_not_parts(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *reader = fixture_reader(s->fd);
	struct log_query query = fixture_all;

	fixture_add(writer, LOG_STDOUT, false, 1, "first");
	fixture_add(writer, LOG_STDOUT, true, 2, "a");
	fixture_flush(writer);
	fixture_add(writer, LOG_STDOUT, true, 3, "b");
	fixture_add(writer, LOG_STDERR, false, 4, "err");
	fixture_flush(writer);
	fixture_add(writer, LOG_STDOUT, false, 5, "c");
	fixture_add(writer, LOG_STDOUT, true, 6, "prompt");
	fixture_flush(writer);
	query.tail = 1;
	assert_log_reads(reader, &query, "6@6:prompt+ ");
	query.tail = 2;
	assert_log_reads(reader, &query, "5@5:c 6@6:prompt+ ");
	query.tail = 3;
	assert_log_reads(reader, &query, "2@2:a+ 3@3:b+ 4@4>err 5@5:c 6@6:prompt+ ");
	query.tail = 4;
	assert_log_reads(reader, &query, "1@1:first 2@2:a+ 3@3:b+ 4@4>err 5@5:c 6@6:prompt+ ");
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
	struct log_query query = fixture_all;
	struct err err = ERR_INIT;
	int seen = 0;

	assert_int_equal(log_reader_each(reader, &query, stop_at_3, &seen, &err), -ECANCELED);
	assert_int_equal(seen, 3);
	query.after_seq = 8;
	assert_log_reads(reader, &query, "9@90:l9 10@100:l10 ");
	query.after_seq = 10;
	assert_log_reads(reader, &query, "");
	log_reader_close(reader);
}

/* --- bounds and gaps --- */

static void test_the_oldest_go_first(void **state)
{
	const struct scratch *s = *state;
	const int64_t max = 1 << 20;
	struct log_writer *writer = fixture_writer(s->fd, max);
	struct log_totals totals;
	char line[101];
	struct stat st;

	memset(line, 'x', 100);
	line[100] = '\0';
	/* Small batches and large ones. */
	for (int i = 0; i < 60000; i++) {
		fixture_add(writer, LOG_STDOUT, false, i, line);
		if (i < 3000)
			fixture_flush(writer);
	}
	fixture_close(writer);
	assert_int_equal(fstatat(s->fd, "log.db", &st, 0), 0);
	assert_true(st.st_size <= max);
	totals = fixture_count(s->fd);
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
	struct log_writer *writer = fixture_writer(s->fd, 1);
	struct log_reader *reader = fixture_reader(s->fd);
	struct log_query query = fixture_all;
	struct log_totals totals = { .last_seq = 1000 };
	struct err err = ERR_INIT;

	for (int i = 1; i <= 20000; i++)
		fixture_add(writer, LOG_STDOUT, false, i,
			    "0123456789012345678901234567890123456789");
	fixture_flush(writer);
	query.after_seq = 1000;
	assert_int_equal(log_reader_each(reader, &query, fixture_count_record, &totals, &err), 0);
	assert_int_equal(totals.gaps, 1);
	assert_int_equal(totals.holes, 0);
	assert_int_equal(totals.records + totals.lost, 19000);
	log_reader_close(reader);
	log_writer_discard(writer);
}

static void test_a_gap_the_caller_knows_of(void **state)
{
	const struct scratch *s = *state;
	struct log_writer *writer = fixture_writer(s->fd, 0);
	struct log_reader *reader = fixture_reader(s->fd);
	const struct log_record gap = { .stream = LOG_GAP, .time_ns = 5, .len = 7 };
	struct err err = ERR_INIT;

	fixture_add(writer, LOG_STDOUT, false, 4, "a");
	assert_int_equal(log_writer_add(writer, &gap, &err), 0);
	fixture_add(writer, LOG_STDOUT, false, 6, "b");
	fixture_flush(writer);
	assert_log_reads(reader, &fixture_all, "1@4:a 8@6!7 9@6:b ");
	log_reader_close(reader);
	log_writer_discard(writer);
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
	struct log_writer *writer = fixture_writer(s->fd, 0);
	const struct log_record gap = { .stream = LOG_GAP, .len = 3 };
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	char path[128];
	sqlite3 *db;

	fixture_add(writer, LOG_STDOUT, true, 1700000000000000005, "h\xc3\xa9");
	fixture_add(writer, LOG_STDERR, false, 1700000000000000003, "two");
	assert_int_equal(log_writer_add(writer, &gap, &err), 0);
	fixture_add(writer, LOG_STDOUT, false, 1700000001000000000, "");
	fixture_close(writer);
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
		SCRATCH_TEST(test_the_view_for_people),
	};

	return cmocka_run_group_tests_name("logs", tests, NULL, NULL);
}
