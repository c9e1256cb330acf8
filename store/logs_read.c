/* SPDX-License-Identifier: Apache-2.0 */
#include "store/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/db.h"
#include "store/logs_format.h"

/*
 * Chunks are copied, up to this many bytes, before their records are shown. A visitor may wait for
 * a person behind a pager, and while a reader has a statement open the writer's WAL can only grow.
 */
#define PAGE_BYTES (256 << 10)

struct log_reader {
	int dir_fd;
	sqlite3 *db; /* NULL while there is no log */
};

/* A chunk in the page. Offsets, as the page moves while it grows. */
struct chunk {
	int64_t seq;
	int64_t count;
	int64_t time_ns;
	size_t lines, lines_len;
	size_t text, text_len;
};

struct page {
	struct buf bytes;
	struct chunk *chunks;
	size_t nchunks;
};

#define AUTO_PAGE __attribute__((cleanup(page_release)))

static void page_release(struct page *page)
{
	buf_release(&page->bytes);
	cleanup_free(&page->chunks);
}

int log_reader_open(int dir_fd, struct log_reader **out, struct err *err)
{
	struct log_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return err_sys(err, ENOMEM, "cannot open the log");
	reader->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	if (reader->dir_fd < 0) {
		err_sys(err, errno, "cannot open the log");
		free(reader);
		return err_code(err);
	}
	*out = reader;
	return 0;
}

void log_reader_close(struct log_reader *reader)
{
	if (!reader)
		return;
	db_close(reader->db);
	cleanup_close(&reader->dir_fd);
	free(reader);
}

/* 1: there is a log, 0: not yet. */
static int open_db(struct log_reader *reader, struct err *err)
{
	sqlite3 *db = NULL;
	int ready = 0;
	int r;

	if (reader->db)
		return 1;
	r = log_db_open(reader->dir_fd, false, &db, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = log_db_ready(db, &ready, err);
	if (r < 0 || !ready) {
		db_close(db);
		return r;
	}
	reader->db = db;
	return 1;
}

/* --- times --- */

/*
 * The greatest seq of which it is certain that it and all before are older than `since_ns`; 0 where
 * there is none. By halves, over numbers of which most name no chunk: the next one that does is
 * taken.
 */
static int find_since(struct log_reader *reader, int64_t since_ns, int64_t *out, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int64_t low = 0, high = 0; /* low: older; above high: not */
	int r;

	*out = 0;
	if (since_ns == INT64_MIN)
		return 0;
	r = db_query_int(reader->db, "SELECT max(seq) FROM chunk", NULL, 0, &high, err);
	if (r == 0)
		r = db_prepare(reader->db,
			       "SELECT seq, peak_ns FROM chunk WHERE seq > ?1 ORDER BY seq LIMIT 1",
			       NULL, &stmt, err);
	while (r == 0 && low < high) {
		int64_t middle = low + (high - low) / 2;

		sqlite3_reset(stmt);
		r = db_bind(stmt, DB_ARGS(DB_INT(middle)), err);
		if (r == 0)
			r = db_step(stmt, err);
		if (r > 0 && sqlite3_column_int64(stmt, 1) < since_ns)
			low = sqlite3_column_int64(stmt, 0);
		else if (r >= 0)
			high = middle;
		r = r > 0 ? 0 : r;
	}
	*out = low;
	return r;
}

static bool fits(const struct log_query *query, int64_t time_ns)
{
	return time_ns >= query->since_ns && time_ns <= query->until_ns;
}

/* --- tail --- */

/* What is counted going back from the end. */
struct tail {
	int64_t wanted;
	int64_t lines;
	bool open[4]; /* by stream: the piece of a line that was met last is not its first */
};

/* Whether the record starts (going back) one line more than wanted. */
static bool tail_full(struct tail *tail, const struct log_line *line)
{
	int stream = line->kind & LOG_KIND_STREAM;

	if (stream == LOG_GAP)
		return false;
	/*
	 * A part before a piece of the same line. A part at the very end is a line not ended yet.
	 */
	if ((line->kind & LOG_KIND_PARTIAL) && tail->open[stream])
		return false;
	tail->open[stream] = true;
	return ++tail->lines > tail->wanted;
}

/* The seq after which `query->tail` lines follow, not before `start`. */
static int find_tail(struct log_reader *reader, const struct log_query *query, int64_t start,
		     int64_t *out, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	struct tail tail = { .wanted = query->tail };
	int r = db_prepare(reader->db,
			   "SELECT seq, count, time_ns, lines, length(text) FROM chunk"
			   " WHERE seq > ?1 ORDER BY seq DESC",
			   DB_ARGS(DB_INT(start)), &stmt, err);

	while (r == 0 && (r = db_step(stmt, err)) > 0) {
		AUTO_FREE struct log_line *lines = NULL;
		int64_t seq = sqlite3_column_int64(stmt, 0);
		int64_t count = sqlite3_column_int64(stmt, 1);
		const char *json = (const char *)sqlite3_column_text(stmt, 3);

		r = log_lines_parse(json, (size_t)sqlite3_column_bytes(stmt, 3), (size_t)count,
				    (size_t)sqlite3_column_int64(stmt, 4), &lines, err);
		for (int64_t i = count - 1; r == 0 && i >= 0; i--, seq--) {
			int64_t time_ns = log_line_time(sqlite3_column_int64(stmt, 2), &lines[i]);

			if (!fits(query, time_ns) || !tail_full(&tail, &lines[i]))
				continue;
			*out = seq;
			return 0;
		}
	}
	if (r == 0)
		*out = start;
	return r;
}

/* --- reading --- */

static int page_add(struct page *page, sqlite3_stmt *stmt, struct err *err)
{
	struct chunk *grown = realloc(page->chunks, (page->nchunks + 1) * sizeof(*grown));
	struct chunk *chunk;
	const void *lines, *text;

	if (!grown)
		return err_sys(err, ENOMEM, "cannot read the log");
	page->chunks = grown;
	chunk = &grown[page->nchunks++];
	lines = sqlite3_column_text(stmt, 3);
	text = sqlite3_column_blob(stmt, 4);
	*chunk = (struct chunk){
		.seq = sqlite3_column_int64(stmt, 0),
		.count = sqlite3_column_int64(stmt, 1),
		.time_ns = sqlite3_column_int64(stmt, 2),
		.lines_len = (size_t)sqlite3_column_bytes(stmt, 3),
		.text_len = (size_t)sqlite3_column_bytes(stmt, 4),
	};
	chunk->lines = page->bytes.len;
	buf_add(&page->bytes, lines, chunk->lines_len);
	chunk->text = page->bytes.len;
	buf_add(&page->bytes, text, chunk->text_len);
	return buf_failed(&page->bytes) ? err_sys(err, ENOMEM, "cannot read the log") : 0;
}

/* Fill the page with what follows `after`; no chunk in it: the end. */
static int page_read(struct page *page, sqlite3_stmt *stmt, int64_t after, struct err *err)
{
	int r = db_bind(stmt, DB_ARGS(DB_INT(after)), err);

	buf_reset(&page->bytes);
	page->nchunks = 0;
	while (r == 0 && page->bytes.len < PAGE_BYTES && (r = db_step(stmt, err)) > 0)
		r = page_add(page, stmt, err);
	sqlite3_reset(stmt);
	return r;
}

static int show_chunk(const struct page *page, const struct chunk *chunk,
		      const struct log_query *query, int64_t after, log_visit *visit, void *data,
		      struct err *err)
{
	AUTO_FREE struct log_line *lines = NULL;
	const char *text = page->bytes.data + chunk->text;
	int r = log_lines_parse(page->bytes.data + chunk->lines, chunk->lines_len,
				(size_t)chunk->count, chunk->text_len, &lines, err);

	for (int64_t i = 0; r == 0 && i < chunk->count; i++) {
		struct log_record record = {
			.seq = chunk->seq - chunk->count + 1 + i,
			.time_ns = log_line_time(chunk->time_ns, &lines[i]),
			.stream = (enum log_stream)(lines[i].kind & LOG_KIND_STREAM),
			.partial = lines[i].kind & LOG_KIND_PARTIAL,
			.len = lines[i].len,
		};

		if (record.seq <= after || !fits(query, record.time_ns))
			continue;
		/*
		 * Of the records that a gap stands for, some were shown before they were dropped.
		 */
		if (record.stream != LOG_GAP)
			record.text = text + lines[i].offset;
		else if ((int64_t)record.len > record.seq - after)
			record.len = (size_t)(record.seq - after);
		r = visit(&record, data, err);
	}
	return r;
}

static int show(struct log_reader *reader, const struct log_query *query, int64_t after,
		log_visit *visit, void *data, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	AUTO_PAGE struct page page = { 0 };
	int r = db_prepare(reader->db,
			   "SELECT seq, count, time_ns, lines, text FROM chunk"
			   " WHERE seq > ?1 ORDER BY seq",
			   NULL, &stmt, err);

	if (r == 0)
		r = page_read(&page, stmt, after, err);
	while (r == 0 && page.nchunks > 0) {
		int64_t last = page.chunks[page.nchunks - 1].seq;

		for (size_t i = 0; r == 0 && i < page.nchunks; i++)
			r = show_chunk(&page, &page.chunks[i], query, after, visit, data, err);
		if (r == 0)
			r = page_read(&page, stmt, last, err);
		after = last;
	}
	return r;
}

int log_reader_each(struct log_reader *reader, const struct log_query *query, log_visit *visit,
		    void *data, struct err *err)
{
	int64_t since = 0, after = query->after_seq;
	int r = open_db(reader, err);

	if (r <= 0)
		return r;
	r = find_since(reader, query->since_ns, &since, err);
	if (r == 0)
		after = since > after ? since : after;
	if (r == 0 && query->tail >= 0)
		r = find_tail(reader, query, after, &after, err);
	return r < 0 ? r : show(reader, query, after, visit, data, err);
}
