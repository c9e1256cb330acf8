/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_LOGS_H
#define CMAN_STORE_LOGS_H

/*
 * The log of one container: containers/<id>/log.db, a database of its own because SQLite has one
 * writer per file and monitors must not queue behind each other. Made on the first record: a
 * container that says nothing has none. Bounded in size; the oldest records go first, and one gap
 * record at the head tells how many have gone. The view `logs` (seq, time_ns, stream, partial,
 * text, time, lost) is stable.
 *
 * A kill at any instant leaves what was flushed, a power cut what was flushed some time before it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

enum log_stream { LOG_STDOUT = 1, LOG_STDERR = 2, LOG_GAP = 3 };

struct log_record {
	/*
	 * From 1; a gap record has the number of the last one that it stands for, so none is
	 * missing.
	 */
	int64_t seq;
	int64_t time_ns; /* CLOCK_REALTIME at which its last byte was read */
	enum log_stream stream;
	bool partial;	  /* the line goes on in the next record of this stream */
	const char *text; /* bytes, no newline; for LOG_GAP NULL */
	/* Bytes; for LOG_GAP the number of records that are lost, 0 where nobody knows it. */
	size_t len;
};

/* --- writing (the monitor) --- */

struct log_writer;

struct log_limits {
	int64_t max_bytes; /* of the database file; 0: LOG_DEFAULT_MAX_BYTES. At least 512 KiB */
};
#define LOG_DEFAULT_MAX_BYTES (64LL << 20)

/*
 * Nothing is created yet. `dir_fd` is duplicated, `limits` may be NULL. Goes on after the records
 * that are there, if another writer has ended. One writer at a time is the caller's to see to.
 */
int log_writer_new(int dir_fd, const struct log_limits *limits, struct log_writer **out,
		   struct err *err);

/*
 * Add a record to the open batch; its seq is not looked at. Text is copied. Nothing is visible to
 * readers before log_writer_flush(); a batch of 32 KiB is flushed by itself. LOG_GAP tells of `len`
 * records that the caller has lost.
 */
int log_writer_add(struct log_writer *writer, const struct log_record *record, struct err *err);

/*
 * Commit the open batch; no fsync. When that fails (disk full), its records are counted and the
 * writer stays usable: the next flush that succeeds first writes a gap record. A log that is found
 * to be damaged is renamed to log.db.damaged, and a new one started with a gap of unknown length.
 */
int log_writer_flush(struct log_writer *writer, struct err *err);

/* Bytes in the open batch, more than its text; 0 where there is no record. */
size_t log_writer_pending(const struct log_writer *writer);

/*
 * Flush and free, also on failure. A log that has grown beyond a MiB since its last checkpoint is
 * moved into one file and made durable, which takes fsyncs: first tell others of the container's
 * end.
 */
int log_writer_close(struct log_writer *writer, struct err *err);

/*
 * Free, for a log that is about to be removed: the open batch is flushed only where there is a log,
 * as somebody may follow it, and no log is made just for it. No fsync. NULL is allowed.
 */
void log_writer_discard(struct log_writer *writer);

/* --- reading (cman logs) --- */

struct log_query {
	int64_t since_ns;  /* inclusive; INT64_MIN: none */
	int64_t until_ns;  /* inclusive; INT64_MAX: none */
	int64_t tail;	   /* the last N lines (not parts) that fit the times; -1: all */
	int64_t after_seq; /* only records with a greater seq; 0: all */
};

typedef int log_visit(const struct log_record *record, void *data, struct err *err);

struct log_reader;
/* No log yet: *out is a reader that has no records until there is one. */
int log_reader_open(int dir_fd, struct log_reader **out, struct err *err);
/*
 * In order of seq, with what is committed by then. A visitor's non-zero return ends the walk and is
 * returned; it may take its time, as nothing is locked meanwhile. To follow a log, call again with
 * the last seq seen as after_seq. ERR_CORRUPT names the file.
 */
int log_reader_each(struct log_reader *reader, const struct log_query *query, log_visit *visit,
		    void *data, struct err *err);
/* NULL is allowed. */
void log_reader_close(struct log_reader *reader);

#endif
