/* SPDX-License-Identifier: Apache-2.0 */
#include "store/containers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/db.h"
#include "store/prefix.h"
#include "store/reserve.h"
#include "store/store.h"

/* In the order that read_record() takes them. */
#define COLUMNS                                                                            \
	"id, name, image, image_id, command, state, created_ns, started_ns, finished_ns, " \
	"pid, pid_start_time, monitor_pid, monitor_start_time, boot_id, exit_code, "       \
	"oom_killed, error, auto_remove, tty, stop_signal, stop_timeout_s"

static const char *const state_names[] = {
	[CONTAINER_CREATED] = "created",   [CONTAINER_RUNNING] = "running",
	[CONTAINER_PAUSED] = "paused",	   [CONTAINER_EXITED] = "exited",
	[CONTAINER_REMOVING] = "removing",
};

const char *container_state_name(enum container_state state)
{
	return state_names[state];
}

void container_record_release(struct container_record *record)
{
	cleanup_free(&record->name);
	cleanup_free(&record->image);
	cleanup_free(&record->image_id);
	cleanup_free(&record->command);
	cleanup_free(&record->error);
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

/* --- reading --- */

static int read_state(sqlite3_stmt *stmt, int column, enum container_state *state, struct err *err)
{
	const char *name = (const char *)sqlite3_column_text(stmt, column);

	for (size_t i = 0; name && i < sizeof(state_names) / sizeof(state_names[0]); i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*state = (enum container_state)i;
			return 0;
		}
	}
	return err_set(err, ERR_CORRUPT, EBADMSG, "container record with unknown state \"%s\"",
		       name ? name : "");
}

static int read_texts(sqlite3_stmt *stmt, struct container_record *record, struct err *err)
{
	int r = db_column_copy(stmt, 0, record->id, sizeof(record->id), err);

	if (r == 0)
		r = db_column_strdup(stmt, 1, &record->name, err);
	if (r == 0)
		r = db_column_strdup(stmt, 2, &record->image, err);
	if (r == 0)
		r = db_column_strdup(stmt, 3, &record->image_id, err);
	if (r == 0)
		r = db_column_strdup(stmt, 4, &record->command, err);
	if (r == 0)
		r = read_state(stmt, 5, &record->state, err);
	if (r == 0)
		r = db_column_copy(stmt, 13, record->boot_id, sizeof(record->boot_id), err);
	if (r == 0)
		r = db_column_strdup(stmt, 16, &record->error, err);
	return r;
}

static int read_record(sqlite3_stmt *stmt, struct container_record *out, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	int r = read_texts(stmt, &record, err);

	if (r < 0)
		return r;
	record.created_ns = sqlite3_column_int64(stmt, 6);
	record.started_ns = sqlite3_column_int64(stmt, 7);
	record.finished_ns = sqlite3_column_int64(stmt, 8);
	record.pid = sqlite3_column_int(stmt, 9);
	record.pid_start_time = (uint64_t)sqlite3_column_int64(stmt, 10);
	record.monitor_pid = sqlite3_column_int(stmt, 11);
	record.monitor_start_time = (uint64_t)sqlite3_column_int64(stmt, 12);
	record.exit_code = sqlite3_column_int(stmt, 14);
	record.oom_killed = sqlite3_column_int(stmt, 15);
	record.auto_remove = sqlite3_column_int(stmt, 17);
	record.tty = sqlite3_column_int(stmt, 18);
	record.stop_signal = sqlite3_column_int(stmt, 19);
	record.stop_timeout_s = sqlite3_column_int(stmt, 20);
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
		       "SELECT " COLUMNS " FROM container WHERE id >= ?1 AND id < ?1 || 'g'"
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
	int r = db_prepare(store->db, "SELECT " COLUMNS " FROM container WHERE name = ?1",
			   DB_ARGS(DB_TEXT(name_or_id)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	return r ? read_record(stmt, out, err) : find_by_prefix(store, name_or_id, out, err);
}

int container_each(struct store *store, container_visit *visit, void *data, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db,
			   "SELECT " COLUMNS " FROM container ORDER BY created_ns DESC, id", NULL,
			   &stmt, err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;

		r = read_record(stmt, &record, err);
		if (r == 0)
			r = visit(&record, data, err);
		if (r != 0)
			return r;
	}
	return r;
}

/* --- writing --- */

/* An insert was refused: say who has the name. */
static int fail_name_in_use(struct store *store, const char *name, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record other = CONTAINER_RECORD_INIT;
	struct err ignored = ERR_INIT;

	if (container_find(store, name, &other, &ignored) < 0 || strcmp(other.name, name) != 0)
		return err_wrap(err, "cannot record container %s", name);
	err_set(err, ERR_EXISTS, EEXIST, "the name %s is in use by container %.12s (%s)", name,
		other.id, container_state_name(other.state));
	return err_hint(
		err, "choose another --name, or remove that one: cman rm %s%s",
		other.state == CONTAINER_RUNNING || other.state == CONTAINER_PAUSED ? "-f " : "",
		name);
}

int container_insert(struct store *store, const struct container_record *record, struct err *err)
{
	int r = db_run(store->db,
		       "INSERT INTO container (" COLUMNS
		       ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
		       " ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
		       DB_ARGS(DB_TEXT(record->id), DB_TEXT(record->name), DB_TEXT(record->image),
			       DB_TEXT(record->image_id), DB_TEXT(record->command),
			       DB_TEXT(state_names[record->state]), DB_INT(record->created_ns),
			       DB_INT(record->started_ns), DB_INT(record->finished_ns),
			       DB_INT(record->pid), DB_INT(record->pid_start_time),
			       DB_INT(record->monitor_pid), DB_INT(record->monitor_start_time),
			       DB_TEXT(record->boot_id), DB_INT(record->exit_code),
			       DB_INT(record->oom_killed), DB_TEXT(record->error),
			       DB_INT(record->auto_remove), DB_INT(record->tty),
			       DB_INT(record->stop_signal), DB_INT(record->stop_timeout_s)),
		       err);

	if (r == -EEXIST)
		return fail_name_in_use(store, record->name, err);
	if (r == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "image %s was removed meanwhile",
			       record->image);
	return r;
}

/* The row was not changed by an UPDATE: is it gone, or in a state that forbids it? */
static int fail_unchanged(struct store *store, const char *id, const char *verb, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	int r = find_by_prefix(store, id, &record, err);

	if (r < 0)
		return r;
	return err_set(err, ERR_STATE, EBUSY, "container %s is %s and cannot be %s", record.name,
		       container_state_name(record.state), verb);
}

/* `r` is what the UPDATE returned. */
static int check_updated(struct store *store, const char *id, const char *verb, int r,
			 struct err *err)
{
	if (r < 0)
		return r;
	return sqlite3_changes(store->db) ? 0 : fail_unchanged(store, id, verb, err);
}

/* What must be recorded on a full disk, too, or nobody could ever clear it. */
static int run_with_reserve(struct store *store, const char *sql, const struct db_arg *args,
			    struct err *err)
{
	int r = db_run(store->db, sql, args, err);

	if (r != -ENOSPC || !reserve_spend(store->root_fd))
		return r;
	*err = (struct err)ERR_INIT;
	return db_run(store->db, sql, args, err);
}

int container_set_started(struct store *store, const struct container_record *record,
			  struct err *err)
{
	int r = db_run(store->db,
		       "UPDATE container SET state = 'running', started_ns = ?2, finished_ns = 0,"
		       " pid = ?3, pid_start_time = ?4, monitor_pid = ?5, monitor_start_time = ?6,"
		       " boot_id = ?7, exit_code = -1, oom_killed = 0, error = NULL"
		       " WHERE id = ?1 AND state != 'removing'",
		       DB_ARGS(DB_TEXT(record->id), DB_INT(record->started_ns), DB_INT(record->pid),
			       DB_INT(record->pid_start_time), DB_INT(record->monitor_pid),
			       DB_INT(record->monitor_start_time), DB_TEXT(record->boot_id)),
		       err);

	return check_updated(store, record->id, "started", r, err);
}

int container_set_exited(struct store *store, const struct container_record *record,
			 struct err *err)
{
	int r = run_with_reserve(
		store,
		"UPDATE container SET"
		" state = CASE state WHEN 'removing' THEN state ELSE 'exited' END,"
		" exit_code = ?2, oom_killed = ?3, finished_ns = ?4, error = ?5,"
		" pid = 0, pid_start_time = 0, monitor_pid = 0, monitor_start_time = 0"
		" WHERE id = ?1",
		DB_ARGS(DB_TEXT(record->id), DB_INT(record->exit_code), DB_INT(record->oom_killed),
			DB_INT(record->finished_ns), DB_TEXT(record->error)),
		err);

	return check_updated(store, record->id, "ended", r, err);
}

int container_set_removing(struct store *store, const char *id, struct err *err)
{
	int r = run_with_reserve(store,
				 "UPDATE container SET state = 'removing'"
				 " WHERE id = ?1 AND state NOT IN ('running', 'paused')",
				 DB_ARGS(DB_TEXT(id)), err);

	return check_updated(store, id, "removed", r, err);
}

int container_delete(struct store *store, const char *id, struct err *err)
{
	return run_with_reserve(store, "DELETE FROM container WHERE id = ?1", DB_ARGS(DB_TEXT(id)),
				err);
}

/* --- directories --- */

int container_dir_create(struct store *store, const char *id, int *dir_fd, struct err *err)
{
	AUTO_CLOSE int dir = -1;

	if (mkdirat(store->containers_fd, id, 0700) < 0)
		return err_sys(err, errno, "cannot create %s/containers/%s", store->root, id);
	dir = openat(store->containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* The umask took its part of the modes; payloads of all users go through upper/. */
	if (dir < 0 || fchmod(dir, 0700) < 0 || mkdirat(dir, "upper", 0755) < 0 ||
	    fchmodat(dir, "upper", 0755, 0) < 0 || mkdirat(dir, "work", 0700) < 0 ||
	    fchmodat(dir, "work", 0700, 0) < 0)
		return err_sys(err, errno, "cannot create %s/containers/%s", store->root, id);
	*dir_fd = STEAL_FD(dir);
	return 0;
}

int container_dir_open(struct store *store, const char *id, int *dir_fd, struct err *err)
{
	int fd = openat(store->containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s/containers/%s", store->root, id);
	*dir_fd = fd;
	return 0;
}

int container_dir_remove(struct store *store, const char *id, struct err *err)
{
	int r = fd_remove_tree(store->containers_fd, id, err);

	return r < 0 ? err_wrap(err, "%s/containers/%s", store->root, id) : 0;
}
