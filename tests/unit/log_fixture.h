/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_UNIT_LOG_FIXTURE_H
#define CMAN_TESTS_UNIT_LOG_FIXTURE_H

/* Writing and reading logs in tests: a failure of these is a failure of the test. */

#include <stdbool.h>

#include "store/base/buf.h"
#include "store/logs.h"

extern const struct log_query fixture_all; /* every record */

struct log_writer *fixture_writer(int dir, int64_t max_bytes);
struct log_reader *fixture_reader(int dir);
void fixture_add(struct log_writer *writer, int stream, bool partial, int64_t time,
		 const char *text);
void fixture_flush(struct log_writer *writer);
void fixture_close(struct log_writer *writer);

/*
 * A visitor that notes records in a struct buf: "seq@time:text " with > for stderr and + after a
 * part, "seq@time!lost " for a gap.
 */
int fixture_note(const struct log_record *record, void *data, struct err *err);
/* What `query` gives, as fixture_note() writes it, is `expected`. */
void assert_log_reads(struct log_reader *reader, const struct log_query *query,
		      const char *expected);

struct log_totals {
	int64_t records;
	int64_t lost;
	int64_t last_seq;
	int gaps;
	int holes; /* numbers that neither a record nor a gap accounts for */
};

/* A visitor that adds up into a struct log_totals. */
int fixture_count_record(const struct log_record *record, void *data, struct err *err);
struct log_totals fixture_count(int dir);

#endif
