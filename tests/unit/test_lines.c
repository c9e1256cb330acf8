/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/lines.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/buf.h"

#define MAX_RECORDS 64

struct seen {
	struct buf texts; /* joined as lines.h says */
	bool partial[MAX_RECORDS];
	size_t len[MAX_RECORDS];
	int64_t time[MAX_RECORDS];
	enum log_stream stream[MAX_RECORDS];
	size_t n;
	int fail; /* what the sink returns */
};

static int see(const struct log_record *record, void *data, struct err *err)
{
	struct seen *seen = data;

	if (seen->fail)
		return err_sys(err, seen->fail, "sink");
	assert_true(record->len <= LINES_MAX);
	buf_add(&seen->texts, record->text, record->len);
	if (!record->partial)
		buf_addch(&seen->texts, '\n');
	if (seen->n < MAX_RECORDS) {
		seen->partial[seen->n] = record->partial;
		seen->len[seen->n] = record->len;
		seen->time[seen->n] = record->time_ns;
		seen->stream[seen->n] = record->stream;
	}
	seen->n++;
	return 0;
}

static void feed(struct lines *lines, struct seen *seen, const char *text, size_t len, int64_t now)
{
	struct err err = ERR_INIT;

	assert_int_equal(lines_feed(lines, text, len, now, see, seen, &err), 0);
}

static void flush(struct lines *lines, struct seen *seen)
{
	struct err err = ERR_INIT;

	assert_int_equal(lines_flush(lines, see, seen, &err), 0);
}

static void lines_are_records(void **state)
{
	struct lines lines = LINES_INIT(LOG_STDERR);
	struct seen seen = { 0 };

	(void)state;
	feed(&lines, &seen, "one\n\ntwo\n", 9, 7);
	assert_int_equal(seen.n, 3);
	assert_string_equal(seen.texts.data, "one\n\ntwo\n");
	assert_int_equal(seen.len[1], 0);
	for (int i = 0; i < 3; i++) {
		assert_false(seen.partial[i]);
		assert_int_equal(seen.time[i], 7);
		assert_int_equal(seen.stream[i], LOG_STDERR);
	}
	flush(&lines, &seen);
	assert_int_equal(seen.n, 3);
	buf_release(&seen.texts);
	lines_release(&lines);
}

static void a_line_may_come_in_pieces(void **state)
{
	struct lines lines = LINES_INIT(LOG_STDOUT);
	struct seen seen = { 0 };

	(void)state;
	feed(&lines, &seen, "o", 1, 1);
	feed(&lines, &seen, "n", 1, 2);
	assert_int_equal(seen.n, 0);
	feed(&lines, &seen, "e\ntw", 4, 3);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.time[0], 3);
	feed(&lines, &seen, "o", 1, 4);
	flush(&lines, &seen);
	assert_int_equal(seen.n, 2);
	assert_true(seen.partial[1]);
	assert_int_equal(seen.time[1], 4);
	/* The end of a line that was shown as a prompt before. */
	feed(&lines, &seen, "\n", 1, 5);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.len[2], 0);
	assert_false(seen.partial[2]);
	assert_string_equal(seen.texts.data, "one\ntwo\n");
	buf_release(&seen.texts);
	lines_release(&lines);
}

static void a_long_line_is_cut(void **state)
{
	static const size_t lengths[] = {
		LINES_MAX - 1, LINES_MAX, LINES_MAX + 1, 2 * LINES_MAX, 3 * LINES_MAX + 5,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		/* At once, and in pieces that do not fit the record. */
		for (size_t piece = 1000; piece <= 100000; piece *= 10) {
			struct lines lines = LINES_INIT(LOG_STDOUT);
			struct seen seen = { 0 };
			size_t total = lengths[i] + 1;
			char *text = malloc(total);

			memset(text, 'x', total);
			text[total - 1] = '\n';
			for (size_t at = 0; at < total; at += piece)
				feed(&lines, &seen, text + at,
				     total - at < piece ? total - at : piece, 1);
			assert_int_equal(seen.n, (lengths[i] + LINES_MAX - 1) / LINES_MAX);
			for (size_t r = 0; r + 1 < seen.n; r++)
				assert_true(seen.partial[r]);
			assert_false(seen.partial[seen.n - 1]);
			assert_int_equal(seen.texts.len, total);
			assert_memory_equal(seen.texts.data, text, total);
			free(text);
			buf_release(&seen.texts);
			lines_release(&lines);
		}
	}
}

/* Whatever the bytes and the pieces are, joining the records gives them back. */
static void nothing_is_lost(void **state)
{
	struct lines lines = LINES_INIT(LOG_STDOUT);
	struct seen seen = { 0 };
	static char text[200000];
	unsigned random = 12345;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		random = random * 1103515245 + 12345;
		/* Lines of all lengths: newlines are rarer in the second half. */
		text[i] = (random >> 16) % (i < sizeof(text) / 2 ? 50 : 30000) ?
				  (char)(random >> 8) :
				  '\n';
	}
	while (at < sizeof(text)) {
		size_t len;

		random = random * 1103515245 + 12345;
		len = (random >> 16) % 40000;
		if (len > sizeof(text) - at)
			len = sizeof(text) - at;
		feed(&lines, &seen, text + at, len, 1);
		at += len;
		if (random & 0x100000)
			flush(&lines, &seen);
	}
	flush(&lines, &seen);
	assert_int_equal(seen.texts.len, sizeof(text));
	assert_memory_equal(seen.texts.data, text, sizeof(text));
	buf_release(&seen.texts);
	lines_release(&lines);
}

static void a_sink_that_fails_is_heard(void **state)
{
	struct lines lines = LINES_INIT(LOG_STDOUT);
	struct seen seen = { .fail = ENOSPC };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(lines_feed(&lines, "x\n", 2, 1, see, &seen, &err), -ENOSPC);
	lines_release(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_records),
		cmocka_unit_test(a_line_may_come_in_pieces),
		cmocka_unit_test(a_long_line_is_cut),
		cmocka_unit_test(nothing_is_lost),
		cmocka_unit_test(a_sink_that_fails_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
