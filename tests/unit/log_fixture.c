/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/log_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

const struct log_query fixture_all = { .since_ns = INT64_MIN, .until_ns = INT64_MAX, .tail = -1 };

struct log_writer *fixture_writer(int dir, int64_t max_bytes)
{
	const struct log_limits limits = { .max_bytes = max_bytes };
	struct log_writer *writer = NULL;
	struct err err = ERR_INIT;

	if (log_writer_new(dir, &limits, &writer, &err) < 0)
		fail_msg("%s", err.text);
	return writer;
}

struct log_reader *fixture_reader(int dir)
{
	struct log_reader *reader = NULL;
	struct err err = ERR_INIT;

	if (log_reader_open(dir, &reader, &err) < 0)
		fail_msg("%s", err.text);
	return reader;
}

void fixture_add(struct log_writer *writer, int stream, bool partial, int64_t time,
		 const char *text)
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

void fixture_flush(struct log_writer *writer)
{
	struct err err = ERR_INIT;

	if (log_writer_flush(writer, &err) < 0)
		fail_msg("%s", err.text);
}

void fixture_close(struct log_writer *writer)
{
	struct err err = ERR_INIT;

	if (log_writer_close(writer, &err) < 0)
		fail_msg("%s", err.text);
}

int fixture_note(const struct log_record *record, void *data, struct err *err)
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

void assert_log_reads(struct log_reader *reader, const struct log_query *query,
		      const char *expected)
{
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (log_reader_each(reader, query, fixture_note, &out, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(out.data ? out.data : "", expected);
}

int fixture_count_record(const struct log_record *record, void *data, struct err *err)
{
	struct log_totals *t = data;
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

struct log_totals fixture_count(int dir)
{
	struct log_reader *reader = fixture_reader(dir);
	struct log_totals totals = { 0 };
	struct err err = ERR_INIT;

	if (log_reader_each(reader, &fixture_all, fixture_count_record, &totals, &err) < 0)
		fail_msg("%s", err.text);
	log_reader_close(reader);
	return totals;
}
