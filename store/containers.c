/* SPDX-License-Identifier: Apache-2.0 */
#include "store/containers.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "store/base/cleanup.h"
#include "store/containers_sql.h"
#include "store/db.h"
#include "store/expected.h"
#include "store/prefix.h"
#include "store/store.h"

static const char *const state_names[] = {
	[CONTAINER_CREATED] = "created",   [CONTAINER_RUNNING] = "running",
	[CONTAINER_PAUSED] = "paused",	   [CONTAINER_EXITED] = "exited",
	[CONTAINER_REMOVING] = "removing", [CONTAINER_RESTARTING] = "restarting",
};

static const char *const restart_names[] = {
	[RESTART_NO] = "no",
	[RESTART_ON_FAILURE] = "on-failure",
	[RESTART_ALWAYS] = "always",
	[RESTART_UNLESS_STOPPED] = "unless-stopped",
};

static const char *const health_names[] = {
	[HEALTH_NONE] = "none",
	[HEALTH_STARTING] = "starting",
	[HEALTH_HEALTHY] = "healthy",
	[HEALTH_UNHEALTHY] = "unhealthy",
};
#define NAMES(names) names, sizeof(names) / sizeof((names)[0])

const char *container_state_name(enum container_state state)
{
	return state_names[state];
}

const char *container_restart_name(enum container_restart restart)
{
	return restart_names[restart];
}

const char *container_health_name(enum container_health health)
{
	return health_names[health];
}

static int find_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

int container_restart_from_name(const char *name, enum container_restart *out)
{
	int found = find_name(NAMES(restart_names), name);

	if (found < 0)
		return found;
	*out = (enum container_restart)found;
	return 0;
}

void container_record_release(struct container_record *record)
{
	cleanup_free(&record->name);
	cleanup_free(&record->image);
	cleanup_free(&record->image_id);
	cleanup_free(&record->command);
	cleanup_free(&record->error);
	cleanup_free(&record->labels);
	cleanup_free(&record->ended_by);
	cleanup_free(&record->ending);
	cleanup_free(&record->mounts);
	cleanup_free(&record->network);
	*record = (struct container_record)CONTAINER_RECORD_INIT;
}

int container_id_generate(char id[CONTAINER_ID_LEN + 1], struct err *err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[CONTAINER_ID_LEN / 2];

	/* Up to 256 bytes come at once, whatever signals arrive: getrandom(2). */
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(err, errno, "cannot make a container ID");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		id[2 * i] = digits[bytes[i] >> 4];
		id[2 * i + 1] = digits[bytes[i] & 15];
	}
	id[CONTAINER_ID_LEN] = '\0';
	return 0;
}

/* A column that holds one of `n` words. */
static int read_word(sqlite3_stmt *stmt, int column, const char *const *words, size_t n, int *out,
		     struct err *err)
{
	const char *word = (const char *)sqlite3_column_text(stmt, column);
	int found = word ? find_name(words, n, word) : -EINVAL;

	if (found < 0)
		return err_set(err, ERR_CORRUPT, EBADMSG, "container record with unknown %s \"%s\"",
			       sqlite3_column_name(stmt, column), word ? word : "");
	*out = found;
	return 0;
}

static int read_words(sqlite3_stmt *stmt, struct container_record *record, struct err *err)
{
	int state = 0, restart = 0, health = 0;
	int r = read_word(stmt, 5, NAMES(state_names), &state, err);

	if (r == 0)
		r = read_word(stmt, 22, NAMES(restart_names), &restart, err);
	if (r == 0)
		r = read_word(stmt, 26, NAMES(health_names), &health, err);
	if (r < 0)
		return r;
	record->state = (enum container_state)state;
	record->restart = (enum container_restart)restart;
	record->health = (enum container_health)health;
	return 0;
}

/* A copy, or where it is `borrowed` SQLite's own, which stays until the next step. */
static int read_text(sqlite3_stmt *stmt, int column, bool borrowed, char **out, struct err *err)
{
	if (!borrowed)
		return db_column_strdup(stmt, column, out, err);
	*out = (char *)sqlite3_column_text(stmt, column);
	if (!*out && sqlite3_column_type(stmt, column) != SQLITE_NULL)
		return err_sys(err, ENOMEM, "cannot read a record");
	return 0;
}

static int read_texts(sqlite3_stmt *stmt, bool borrowed, struct container_record *record,
		      struct err *err)
{
	const struct {
		int column;
		char **text;
	} texts[] = {
		{ 1, &record->name },	   { 2, &record->image },   { 3, &record->image_id },
		{ 4, &record->command },   { 16, &record->error },  { 21, &record->labels },
		{ 28, &record->ended_by }, { 29, &record->ending }, { 30, &record->mounts },
		{ 31, &record->network },
	};
	int r = db_column_copy(stmt, 0, record->id, sizeof(record->id), err);

	if (r == 0)
		r = db_column_copy(stmt, 13, record->boot_id, sizeof(record->boot_id), err);
	if (r == 0)
		r = read_words(stmt, record, err);
	for (size_t i = 0; r == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		r = read_text(stmt, texts[i].column, borrowed, texts[i].text, err);
	return r;
}

static void read_numbers(sqlite3_stmt *stmt, struct container_record *record)
{
	record->created_ns = sqlite3_column_int64(stmt, 6);
	record->started_ns = sqlite3_column_int64(stmt, 7);
	record->finished_ns = sqlite3_column_int64(stmt, 8);
	record->pid = sqlite3_column_int(stmt, 9);
	record->pid_start_time = (uint64_t)sqlite3_column_int64(stmt, 10);
	record->monitor_pid = sqlite3_column_int(stmt, 11);
	record->monitor_start_time = (uint64_t)sqlite3_column_int64(stmt, 12);
	record->exit_code = sqlite3_column_int(stmt, 14);
	record->oom_killed = sqlite3_column_int(stmt, 15);
	record->auto_remove = sqlite3_column_int(stmt, 17);
	record->tty = sqlite3_column_int(stmt, 18);
	record->stop_signal = sqlite3_column_int(stmt, 19);
	record->stop_timeout_s = sqlite3_column_int(stmt, 20);
	record->restart_max = sqlite3_column_int(stmt, 23);
	record->restart_count = sqlite3_column_int(stmt, 24);
	record->restart_ns = sqlite3_column_int64(stmt, 25);
	record->health_failures = sqlite3_column_int(stmt, 27);
}

static int read_record(sqlite3_stmt *stmt, struct container_record *out, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	int r = read_texts(stmt, false, &record, err);

	if (r < 0)
		return r;
	read_numbers(stmt, &record);
	*out = record;
	record = (struct container_record)CONTAINER_RECORD_INIT;
	return 0;
}

static int fail_not_found(const char *what, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, ENOENT, "no such container: %s", what);
}

static int find_by_prefix(struct store *store, const char *prefix, struct container_record *out,
			  struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r;

	if (!prefix_is_one(prefix, 1))
		return fail_not_found(prefix, err);
	r = db_prepare(store->db,
		       "SELECT " CONTAINER_COLUMNS
		       " FROM container WHERE id >= ?1 AND id < ?1 || 'g'"
		       " ORDER BY id LIMIT 4",
		       DB_ARGS(DB_TEXT(prefix)), &stmt, err);
	if (r == 0)
		r = db_step(stmt, err);
	if (r == 0)
		return fail_not_found(prefix, err);
	if (r > 0)
		r = read_record(stmt, &record, err);
	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	if (r > 0)
		return prefix_ambiguous(stmt, "containers", prefix, record.id, err);
	*out = record;
	record = (struct container_record)CONTAINER_RECORD_INIT;
	return 0;
}

int container_find(struct store *store, const char *name_or_id, struct container_record *out,
		   struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, "SELECT " CONTAINER_COLUMNS " FROM container WHERE name = ?1",
			   DB_ARGS(DB_TEXT(name_or_id)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	return r ? read_record(stmt, out, err) : find_by_prefix(store, name_or_id, out, err);
}

int container_read(struct store *store, const char *id, struct container_record *out,
		   struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = expected_prepare(store, CONTAINER_READ, DB_ARGS(DB_TEXT(id)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	return r ? read_record(stmt, out, err) : fail_not_found(id, err);
}

typedef int read_row(sqlite3_stmt *stmt, struct container_record *record, struct err *err);

/* The texts are SQLite's own, which stay until the next step. */
static int read_borrowed(sqlite3_stmt *stmt, struct container_record *record, struct err *err)
{
	int r = read_texts(stmt, true, record, err);

	if (r == 0)
		read_numbers(stmt, record);
	return r;
}

static int read_brief(sqlite3_stmt *stmt, struct container_record *record, struct err *err)
{
	const struct {
		int column;
		char **text;
	} texts[] = { { 1, &record->name }, { 2, &record->image }, { 3, &record->command } };
	int state = 0, health = 0;
	int r = db_column_copy(stmt, 0, record->id, sizeof(record->id), err);

	for (size_t i = 0; r == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		r = read_text(stmt, texts[i].column, true, texts[i].text, err);
	if (r == 0)
		r = db_column_copy(stmt, 10, record->boot_id, sizeof(record->boot_id), err);
	if (r == 0)
		r = read_word(stmt, 4, NAMES(state_names), &state, err);
	if (r == 0)
		r = read_word(stmt, 12, NAMES(health_names), &health, err);
	if (r < 0)
		return r;
	record->state = (enum container_state)state;
	record->health = (enum container_health)health;
	record->created_ns = sqlite3_column_int64(stmt, 5);
	record->started_ns = sqlite3_column_int64(stmt, 6);
	record->finished_ns = sqlite3_column_int64(stmt, 7);
	record->pid = sqlite3_column_int(stmt, 8);
	record->monitor_pid = sqlite3_column_int(stmt, 9);
	record->exit_code = sqlite3_column_int(stmt, 11);
	return 0;
}

static int walk(struct store *store, const char *sql, read_row *read, container_visit *visit,
		void *data, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, sql, NULL, &stmt, err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		struct container_record record = CONTAINER_RECORD_INIT;

		r = read(stmt, &record, err);
		if (r < 0)
			return r;
		r = visit(&record, data, err);
		if (r != 0)
			return r;
	}
	return r;
}

int container_each(struct store *store, container_visit *visit, void *data, struct err *err)
{
	return walk(store, "SELECT " CONTAINER_COLUMNS " FROM container ORDER BY rowid DESC",
		    read_borrowed, visit, data, err);
}

int container_each_brief(struct store *store, bool live, container_visit *visit, void *data,
			 struct err *err)
{
	return walk(store,
		    live ? "SELECT " CONTAINER_BRIEF_COLUMNS " FROM container"
			   " WHERE state IN ('running', 'paused', 'restarting')"
			   " ORDER BY rowid DESC" :
			   "SELECT " CONTAINER_BRIEF_COLUMNS " FROM container ORDER BY rowid DESC",
		    read_brief, visit, data, err);
}
