/* SPDX-License-Identifier: Apache-2.0 */
#include "store/logs_format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/base/cleanup.h"
#include "store/db.h"

#define LOG_VERSION 1

/* The shortest that one line can be: "[0,1,0,0]". */
#define MIN_LINE_JSON 9

/* --- lines --- */

/* vsnprintf(3) for each record would take longer than all else that is done for it. */
static char *put_number(char *end, uint64_t value)
{
	do
		*--end = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	return end;
}

void log_lines_add(struct buf *lines, const struct log_line *line)
{
	char text[96];
	char *const end = text + sizeof(text);
	char *p = end;
	uint64_t time = line->time_ns < 0 ? -(uint64_t)line->time_ns : (uint64_t)line->time_ns;

	*--p = ']';
	p = put_number(p, line->len);
	*--p = ',';
	p = put_number(p, line->offset);
	*--p = ',';
	p = put_number(p, (uint64_t)line->kind);
	*--p = ',';
	p = put_number(p, time);
	if (line->time_ns < 0)
		*--p = '-';
	*--p = '[';
	*--p = lines->len ? ',' : '[';
	buf_add(lines, p, (size_t)(end - p));
}

void log_lines_end(struct buf *lines)
{
	buf_addch(lines, ']');
}

struct cursor {
	const char *p;
	const char *end;
};

static bool take(struct cursor *c, char expected)
{
	if (c->p == c->end || *c->p != expected)
		return false;
	c->p++;
	return true;
}

static bool take_number(struct cursor *c, int64_t *out)
{
	const char *start;
	bool negative = take(c, '-');
	int64_t value = 0;

	for (start = c->p; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *c->p - '0', &value))
			return false;
	*out = negative ? -value : value;
	return c->p > start;
}

static bool take_line(struct cursor *c, size_t text_len, struct log_line *line)
{
	int64_t kind, offset, len;

	if (!take(c, '[') || !take_number(c, &line->time_ns) || !take(c, ',') ||
	    !take_number(c, &kind) || !take(c, ',') || !take_number(c, &offset) || !take(c, ',') ||
	    !take_number(c, &len) || !take(c, ']'))
		return false;
	if (kind < 1 || kind > (LOG_KIND_STREAM | LOG_KIND_PARTIAL) || offset < 0 || len < 0)
		return false;
	line->kind = (int)kind;
	line->offset = (size_t)offset;
	line->len = (size_t)len;
	if ((kind & LOG_KIND_STREAM) == LOG_KIND_STREAM)
		return true; /* the length of a gap is no length of text */
	return line->offset <= text_len && line->len <= text_len - line->offset;
}

int log_lines_parse(const char *json, size_t len, size_t count, size_t text_len,
		    struct log_line **out, struct err *err)
{
	struct cursor c = { .p = json, .end = json + len };
	AUTO_FREE struct log_line *lines = NULL;
	bool good = count > 0 && count <= len / MIN_LINE_JSON && take(&c, '[');

	if (good) {
		lines = malloc(count * sizeof(*lines));
		if (!lines)
			return err_sys(err, ENOMEM, "cannot read a log");
	}
	for (size_t i = 0; good && i < count; i++)
		good = (i == 0 || take(&c, ',')) && take_line(&c, text_len, &lines[i]);
	if (!good || !take(&c, ']') || c.p != c.end)
		return err_set(err, ERR_CORRUPT, EBADMSG, "the log is damaged: malformed lines");
	*out = STEAL_PTR(lines);
	return 0;
}

/* --- the database --- */

int log_db_open(int dir_fd, int create, sqlite3 **out, struct err *err)
{
	char path[64];
	struct stat st;

	/* SQLite knows paths only. It resolves this one to what the directory is called now. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/" LOG_FILE, dir_fd);
	if (!create && fstatat(dir_fd, LOG_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot open the log");
	return db_open(path, SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), out, err);
}

int log_db_init(sqlite3 *db, struct err *err)
{
	return db_exec(
		db,
		"PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY; PRAGMA journal_mode=WAL;"
		"BEGIN IMMEDIATE;"
		"PRAGMA application_id=" DB_APPLICATION_ID ";"
		"CREATE TABLE chunk ("
		" seq INTEGER PRIMARY KEY," /* of its last record */
		" count INTEGER NOT NULL,"
		" time_ns INTEGER NOT NULL,"
		" peak_ns INTEGER NOT NULL,"
		" lines TEXT NOT NULL,"
		" text BLOB NOT NULL"
		") STRICT;"
		"CREATE VIEW logs AS SELECT"
		" seq - count + 1 + line.key AS seq,"
		" time_ns + json_extract(line.value, '$[0]') AS time_ns,"
		" CASE json_extract(line.value, '$[1]') & 3"
		"  WHEN 1 THEN 'stdout' WHEN 2 THEN 'stderr' ELSE 'gap' END AS stream,"
		" (json_extract(line.value, '$[1]') & 4) / 4 AS partial,"
		" CASE WHEN json_extract(line.value, '$[1]') & 3 = 3 THEN NULL"
		"  ELSE ifnull(CAST(substr(text, json_extract(line.value, '$[2]') + 1,"
		"  json_extract(line.value, '$[3]')) AS TEXT), '') END AS text,"
		" strftime('%Y-%m-%dT%H:%M:%SZ', (time_ns + json_extract(line.value, '$[0]'))"
		"  / 1000000000, 'unixepoch') AS time,"
		" CASE WHEN json_extract(line.value, '$[1]') & 3 = 3"
		"  THEN json_extract(line.value, '$[3]') ELSE 0 END AS lost"
		" FROM chunk, json_each(chunk.lines) AS line;"
		"PRAGMA user_version=1;"
		"COMMIT;"
		"PRAGMA synchronous=NORMAL",
		err);
}

int log_db_ready(sqlite3 *db, int *ready, struct err *err)
{
	int64_t version = 0;
	int r = db_query_int(db, "PRAGMA user_version", NULL, 0, &version, err);

	if (r < 0)
		return r;
	if (version > LOG_VERSION || version < 0)
		return err_set(err, ERR_UNSUPPORTED, EPROTONOSUPPORT,
			       "the log has version %" PRId64 ", and this cman knows version %d",
			       version, LOG_VERSION);
	*ready = version == LOG_VERSION;
	return 0;
}
