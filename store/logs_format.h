/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_LOGS_FORMAT_H
#define CMAN_STORE_LOGS_FORMAT_H

/*
 * How records lie in log.db, for logs_write.c and logs_read.c.
 *
 * A row of table chunk holds all records of one batch: their text end to end in `text`, and in
 * `lines` what each one is, as JSON [[time, kind, offset, length], ...]. So a record costs a copy
 * and not an INSERT, the oldest go by the batch, and yet the view `logs` gives them one by one to
 * anybody with sqlite3(1). Time is in nanoseconds after the chunk's time_ns; kind is an enum
 * log_stream, plus LOG_KIND_PARTIAL. A gap is a chunk of its own, with the number of lost records
 * as its length.
 *
 * `peak_ns` is the latest time of this chunk and all before it. Unlike the times themselves it
 * never goes back when the clock does, so that it can be searched by halves.
 */

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/err.h"

#define LOG_FILE "log.db"
#define LOG_KIND_STREAM 3
#define LOG_KIND_PARTIAL 4

struct log_line {
	int64_t time_ns; /* after the chunk's */
	int kind;
	size_t offset;
	size_t len;
};

/* The sum, which for a damaged log may be any number but has to be one. */
static inline int64_t log_line_time(int64_t chunk_time_ns, const struct log_line *line)
{
	return (int64_t)((uint64_t)chunk_time_ns + (uint64_t)line->time_ns);
}

/* Append to the JSON of a chunk; log_lines_end() closes it. */
void log_lines_add(struct buf *lines, const struct log_line *line);
void log_lines_end(struct buf *lines);

/*
 * Read `count` lines. Fails with ERR_CORRUPT where the JSON is of another form or a line is not
 * within `text_len` bytes. *out is to be freed.
 */
int log_lines_parse(const char *json, size_t len, size_t count, size_t text_len,
		    struct log_line **out, struct err *err);

/* Open the log in `dir_fd`; ENOENT where there is none. `create`: make it, without its tables. */
int log_db_open(int dir_fd, int create, sqlite3 **out, struct err *err);

/*
 * Tables and views, where the file is new. Neither syncs nor could a power cut do harm: all is in
 * the first write-ahead log, of which SQLite takes whatever part is whole.
 */
int log_db_init(sqlite3 *db, struct err *err);

/* Whether the tables are there: its maker may be about to make them. A newer form is refused. */
int log_db_ready(sqlite3 *db, int *ready, struct err *err);

#endif
