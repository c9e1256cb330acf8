/* SPDX-License-Identifier: Apache-2.0 */
#include "store/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/db.h"
#include "store/logs_format.h"
#include "store/reserve.h"

#define PAGE_BYTES 4096

/* The memory of a monitor is counted: a batch is written when it has grown to this. */
#define BATCH_BYTES (32 << 10)

/* Pages that a chunk may take beside those its bytes fill: partly filled ones, inner nodes. */
#define SPARE_PAGES 8

/* With less, one batch and the next would hardly have room side by side. */
#define LEAST_MAX_BYTES (16 * (int64_t)BATCH_BYTES)

/*
 * A checkpoint waits for two fsyncs, so it is rare; what is not yet checkpointed is read by whoever
 * opens the log after its writer was killed, 16 MiB in some ms.
 */
#define CHECKPOINT_PAGES 4096

/*
 * A write-ahead log up to this is left as it is at the end: to read it again costs a reader less
 * than a millisecond, to checkpoint it would cost every container two fsyncs.
 */
#define KEPT_WAL_BYTES (1 << 20)

/* For one gap record, in the write-ahead log and its index. */
#define RESERVE_BYTES (64 << 10)

/* How many of the oldest chunks go at a time. */
#define DROP_CHUNKS 4

struct log_writer {
	int dir_fd;
	int64_t max_pages;
	sqlite3 *db; /* NULL until the first flush */
	sqlite3_stmt *insert;
	sqlite3_stmt *page_count;
	sqlite3_stmt *freelist_count;
	int64_t seq;	 /* of the last record that is on disk */
	int64_t peak_ns; /* the latest time there */
	int64_t lost;	 /* records after it that could not be written */
	bool gap;	 /* a gap record has to come before the batch, even if its count is 0 */
	/* The open batch. */
	int64_t count;
	int64_t time_ns;
	int64_t batch_peak_ns;
	struct buf lines;
	struct buf text;
};

int log_writer_new(int dir_fd, const struct log_limits *limits, struct log_writer **out,
		   struct err *err)
{
	int64_t max = limits && limits->max_bytes ? limits->max_bytes : LOG_DEFAULT_MAX_BYTES;
	struct log_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return err_sys(err, ENOMEM, "cannot open the log");
	w->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	if (w->dir_fd < 0) {
		err_sys(err, errno, "cannot open the log");
		free(w);
		return err_code(err);
	}
	w->max_pages = (max < LEAST_MAX_BYTES ? LEAST_MAX_BYTES : max) / PAGE_BYTES;
	w->peak_ns = INT64_MIN;
	w->batch_peak_ns = INT64_MIN;
	*out = w;
	return 0;
}

static void close_db(struct log_writer *w)
{
	sqlite3_finalize(w->insert);
	sqlite3_finalize(w->page_count);
	sqlite3_finalize(w->freelist_count);
	w->insert = w->page_count = w->freelist_count = NULL;
	db_close(w->db);
	w->db = NULL;
}

static void reset_batch(struct log_writer *w)
{
	w->count = 0;
	w->batch_peak_ns = INT64_MIN;
	buf_reset(&w->lines);
	buf_reset(&w->text);
}

/* --- opening --- */

/* Go on where another writer, a monitor that was killed, has ended. */
static int read_end(struct log_writer *w, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(w->db, "SELECT seq, peak_ns FROM chunk ORDER BY seq DESC LIMIT 1", NULL,
			   &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r > 0) {
		w->seq = sqlite3_column_int64(stmt, 0);
		w->peak_ns = sqlite3_column_int64(stmt, 1);
	}
	return r < 0 ? r : 0;
}

static int prepare_db(struct log_writer *w, struct err *err)
{
	int64_t checkpoint = w->max_pages / 4;
	int ready = 0;
	int r = log_db_ready(w->db, &ready, err);

	if (r == 0 && !ready)
		r = log_db_init(w->db, err);
	if (r == 0)
		r = db_exec(w->db, "PRAGMA cache_size=16", err);
	if (r == 0)
		r = read_end(w, err);
	if (r == 0)
		r = db_prepare(w->db, "INSERT INTO chunk VALUES (?1, ?2, ?3, ?4, ?5, ?6)", NULL,
			       &w->insert, err);
	if (r == 0)
		r = db_prepare(w->db, "PRAGMA page_count", NULL, &w->page_count, err);
	if (r == 0)
		r = db_prepare(w->db, "PRAGMA freelist_count", NULL, &w->freelist_count, err);
	if (r < 0)
		return r;
	sqlite3_wal_autocheckpoint(
		w->db, (int)(checkpoint < CHECKPOINT_PAGES ? checkpoint : CHECKPOINT_PAGES));
	return 0;
}

static int open_db(struct log_writer *w, struct err *err)
{
	int r;

	if (w->db)
		return 0;
	r = log_db_open(w->dir_fd, true, &w->db, err);
	if (r == 0) {
		r = prepare_db(w, err);
		if (r < 0)
			close_db(w);
		else
			reserve_keep(w->dir_fd, RESERVE_BYTES);
	}
	return r;
}

/* Keep what is there for whoever can read it, and start anew: the container goes on talking. */
static int move_aside(struct log_writer *w, struct err *err)
{
	static const char *const suffixes[] = { "-wal", "-shm", "" };

	close_db(w);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char from[32], to[32];

		snprintf(from, sizeof(from), LOG_FILE "%s", suffixes[i]);
		snprintf(to, sizeof(to), LOG_FILE ".damaged%s", suffixes[i]);
		if (renameat(w->dir_fd, from, w->dir_fd, to) < 0 && errno != ENOENT)
			return err_sys(err, errno, "cannot move the damaged log away");
	}
	w->gap = true;
	return 0;
}

/* --- writing --- */

static int read_pragma(sqlite3_stmt *stmt, int64_t *out, struct err *err)
{
	int r = db_step(stmt, err);

	if (r > 0)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return r < 0 ? r : 0;
}

static int insert_chunk(struct log_writer *w, int64_t seq, int64_t count, int64_t time_ns,
			int64_t peak_ns, const char *lines, const struct buf *text, struct err *err)
{
	int r = db_bind(w->insert,
			DB_ARGS(DB_INT(seq), DB_INT(count), DB_INT(time_ns), DB_INT(peak_ns),
				DB_TEXT(lines),
				DB_BLOB(text ? text->data : NULL, text ? text->len : 0)),
			err);

	if (r == 0)
		r = db_step(w->insert, err);
	sqlite3_reset(w->insert);
	sqlite3_clear_bindings(w->insert);
	return r;
}

static int insert_gap(struct log_writer *w, int64_t seq, int64_t lost, int64_t time_ns,
		      int64_t peak_ns, struct err *err)
{
	char lines[64];

	snprintf(lines, sizeof(lines), "[[0,%d,0,%lld]]", LOG_GAP, (long long)lost);
	return insert_chunk(w, seq, 1, time_ns, peak_ns, lines, NULL, err);
}

/*
 * Replace the oldest chunks by one gap record, which then stands for all records from the first on.
 * *dropped tells whether there were any.
 */
static int drop_oldest(struct log_writer *w, bool *dropped, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int64_t seq, time_ns, peak_ns;
	/* Fewer than that are left alone: it is the gap, and what must not be lost at once. */
	int r = db_prepare(w->db,
			   "SELECT seq, time_ns, peak_ns FROM chunk ORDER BY seq LIMIT 1 OFFSET ?1",
			   DB_ARGS(DB_INT(DROP_CHUNKS)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	*dropped = r > 0;
	if (r <= 0)
		return r;
	seq = sqlite3_column_int64(stmt, 0);
	time_ns = sqlite3_column_int64(stmt, 1);
	peak_ns = sqlite3_column_int64(stmt, 2);
	sqlite3_reset(stmt);
	r = db_run(w->db, "DELETE FROM chunk WHERE seq <= ?1", DB_ARGS(DB_INT(seq)), err);
	return r < 0 ? r : insert_gap(w, seq, seq, time_ns, peak_ns, err);
}

static int make_room(struct log_writer *w, struct err *err)
{
	int64_t needed = (int64_t)(w->lines.len + w->text.len) / PAGE_BYTES + SPARE_PAGES;
	bool dropped = true;

	while (dropped) {
		int64_t pages = 0, unused = 0;
		int r = read_pragma(w->page_count, &pages, err);

		if (r == 0)
			r = read_pragma(w->freelist_count, &unused, err);
		if (r < 0)
			return r;
		if (pages - unused + needed <= w->max_pages)
			break;
		r = drop_oldest(w, &dropped, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_batch(struct log_writer *w, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int64_t gap_seq, peak_ns;
	int r = open_db(w, err);

	if (r < 0)
		return r;
	/* Not before, as opening tells where another writer has ended. */
	gap_seq = w->seq + w->lost;
	peak_ns = w->batch_peak_ns > w->peak_ns ? w->batch_peak_ns : w->peak_ns;
	r = db_begin(w->db, &tx, err);
	if (r == 0)
		r = make_room(w, err);
	if (r == 0 && w->gap) {
		gap_seq +=
			w->lost == 0; /* also one with an unknown count has a number of its own */
		r = insert_gap(w, gap_seq, w->lost, w->count ? w->time_ns : peak_ns, peak_ns, err);
	}
	if (r == 0 && w->count)
		r = insert_chunk(w, gap_seq + w->count, w->count, w->time_ns, peak_ns,
				 w->lines.data, &w->text, err);
	if (r == 0)
		r = db_commit(&tx, err);
	if (r < 0)
		return r;
	w->seq = gap_seq + w->count;
	w->peak_ns = peak_ns;
	w->lost = 0;
	w->gap = false;
	return 0;
}

int log_writer_flush(struct log_writer *w, struct err *err)
{
	int r = 0;

	if (w->count == 0 && !w->gap)
		return 0;
	log_lines_end(&w->lines);
	if (buf_failed(&w->lines) || buf_failed(&w->text))
		r = err_sys(err, ENOMEM, "cannot write the log");
	if (r == 0)
		r = write_batch(w, err);
	if (r == -EBADMSG) {
		r = move_aside(w, err);
		if (r == 0)
			r = write_batch(w, err);
	}
	if (r < 0) {
		w->lost += w->count;
		w->gap = true;
		buf_release(&w->lines);
		buf_release(&w->text);
	}
	reset_batch(w);
	return r;
}

int log_writer_add(struct log_writer *w, const struct log_record *record, struct err *err)
{
	struct log_line line = {
		.kind = (int)record->stream | (record->partial ? LOG_KIND_PARTIAL : 0),
		.offset = w->text.len,
		.len = record->len,
	};
	int r;

	if (record->stream == LOG_GAP) {
		r = log_writer_flush(w, err);
		w->lost += (int64_t)record->len;
		w->gap = true;
		return r;
	}
	if (w->count == 0)
		w->time_ns = record->time_ns;
	line.time_ns = record->time_ns - w->time_ns;
	log_lines_add(&w->lines, &line);
	buf_add(&w->text, record->text, record->len);
	w->count++;
	if (record->time_ns > w->batch_peak_ns)
		w->batch_peak_ns = record->time_ns;
	if (w->text.len + w->lines.len < BATCH_BYTES)
		return 0;
	return log_writer_flush(w, err);
}

size_t log_writer_pending(const struct log_writer *w)
{
	return w->text.len + w->lines.len;
}

static void release(struct log_writer *w)
{
	close_db(w);
	buf_release(&w->lines);
	buf_release(&w->text);
	cleanup_close(&w->dir_fd);
	free(w);
}

int log_writer_close(struct log_writer *w, struct err *err)
{
	int r = log_writer_flush(w, err);
	struct stat st;

	/* There was no room for the batch. There is for the number of its records. */
	if (reserve_spend(w->dir_fd) && r == -ENOSPC)
		r = log_writer_flush(w, err);

	/* The last to close a database so set checkpoints it and removes its write-ahead log. */
	if (w->db && fstatat(w->dir_fd, LOG_FILE "-wal", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size > KEPT_WAL_BYTES)
		(void)sqlite3_db_config(w->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	release(w);
	return r;
}

void log_writer_discard(struct log_writer *w)
{
	struct err ignored = ERR_INIT;

	if (!w)
		return;
	if (w->db)
		(void)log_writer_flush(w, &ignored);
	release(w);
}
