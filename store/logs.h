/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_LOGS_H
#define CMAN_STORE_LOGS_H

/*
 * The log of one container: containers/<id>/log.db, a database of its own because SQLite has one
 * writer per file and monitors must not queue behind each other. Made on the first record: a
 * container that says nothing has none. Bounded in size; the oldest records go first, and a gap
 * record tells how many were dropped. The view `logs` (seq, time_ns, stream, partial, text) is stable.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

enum log_stream { LOG_STDOUT = 1, LOG_STDERR = 2, LOG_GAP = 3 };

struct log_record {
	int64_t seq;	 /* from 1, without holes but those that gap records tell of */
	int64_t time_ns; /* CLOCK_REALTIME at which its last byte was read */
	enum log_stream stream;
	bool partial;	  /* the line goes on in the next record of this stream */
	const char *text; /* bytes, no newline; for LOG_GAP NULL */
	size_t len;	  /* bytes; for LOG_GAP the number of records that were dropped */
};

/* --- writing (the monitor) --- */

struct log_writer;

struct log_limits {
	int64_t max_bytes; /* of the database file; 0: LOG_DEFAULT_MAX_BYTES */
};
#define LOG_DEFAULT_MAX_BYTES (64LL << 20)

/* Nothing is created yet. `dir_fd` is duplicated. */
int log_writer_new(int dir_fd, const struct log_limits *limits, struct log_writer **out,
		   struct err *err);
/*
 * Add a record to the open batch. Text is copied or bound at once. Nothing is durable or visible
 * before log_writer_flush(). A failed write (disk full) is counted: a later successful one first writes a gap record.
 */
int log_writer_add(struct log_writer *writer, const struct log_record *record, struct err *err);
/* Commit the open batch. */
int log_writer_flush(struct log_writer *writer, struct err *err);
/* Bytes of text in the open batch. */
size_t log_writer_pending(const struct log_writer *writer);
/* Flush, and leave a file that opens without recovery. Frees. */
int log_writer_close(struct log_writer *writer, struct err *err);

/* --- reading (cman logs) --- */

struct log_query {
	int64_t since_ns;  /* inclusive; INT64_MIN: none */
	int64_t until_ns;  /* inclusive; INT64_MAX: none */
	int64_t tail;	   /* the last N records that fit the times (lines, not parts); -1: all */
	int64_t after_seq; /* only records with a greater seq; 0: all */
};

typedef int log_visit(const struct log_record *record, void *data, struct err *err);

struct log_reader;
/* No log yet: *out is a reader that has no records until there is one. */
int log_reader_open(int dir_fd, struct log_reader **out, struct err *err);
/* In order of seq. A visitor's non-zero return ends the walk and is returned. */
int log_reader_each(struct log_reader *reader, const struct log_query *query, log_visit *visit,
		    void *data, struct err *err);
void log_reader_close(struct log_reader *reader);

#endif
