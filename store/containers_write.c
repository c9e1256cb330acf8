/* SPDX-License-Identifier: Apache-2.0 */
/* What changes a container's record, and the events of that. */
#include <errno.h>
#include <string.h>

#include "store/base/clock.h"
#include "store/change.h"
#include "store/containers.h"
#include "store/containers_sql.h"
#include "store/db.h"
#include "store/expected.h"
#include "store/store.h"

/* --- the events: each is of a row as it is before its change --- */

/* ?1 is the ID, ?2 the time. */
#define EVENT(action, exit_code, detail, when)                                         \
	"INSERT INTO event"                                                            \
	" (time_ns, type, action, object, name, image, exit_code, detail, labels)"     \
	" SELECT ?2, 'container', " action ", id, name, image, " exit_code ", " detail \
	", labels FROM container WHERE id = ?1" when

#define RUNS " AND state IN ('running', 'paused')"

#define EVENT_START EVENT("'start'", "NULL", "NULL", "")
#define EVENT_PAUSE EVENT("?3", "NULL", "NULL", "")
#define EVENT_OOM EVENT("'oom'", "NULL", "NULL", " AND ?3 AND NOT oom_killed" RUNS)
/* What is restarting has ended before. */
#define EVENT_DIE EVENT("'die'", "?3", "ended_by", " AND state IN ('created', 'running', 'paused')")
#define EVENT_DIE_RUNNING EVENT("'die'", "?3", "ended_by", RUNS)
#define EVENT_HEALTH                           \
	EVENT("'health_status'", "NULL", "?3", \
	      " AND health IS NOT ?3"          \
	      " AND ?3 IN ('healthy', 'unhealthy')")
#define EVENT_DESTROY EVENT("'destroy'", "NULL", "NULL", "")

#define EVENT_CREATE                                                             \
	"INSERT INTO event (time_ns, type, action, object, name, image, labels)" \
	" VALUES (?2, 'container', 'create', ?1, ?3, ?4, ?5)"

/* By its new name, with the old one. */
#define EVENT_RENAME                                                                     \
	"INSERT INTO event (time_ns, type, action, object, name, image, detail, labels)" \
	" SELECT ?2, 'container', 'rename', id, ?3, image, name, labels"                 \
	" FROM container WHERE id = ?1"

/* An insert was refused: say who has the name. */
static int fail_name_in_use(struct store *store, const char *name, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record other = CONTAINER_RECORD_INIT;
	struct err ignored = ERR_INIT;

	if (container_find(store, name, &other, &ignored) < 0 || strcmp(other.name, name) != 0)
		return err_wrap(err, "cannot record container %s", name);
	err_set(err, ERR_EXISTS, EEXIST, "the name %s is in use by container %.12s (%s)", name,
		other.id, container_state_name(other.state));
	return err_hint(err, "choose another name, or remove that one: cman rm %s%s",
			other.state == CONTAINER_CREATED || other.state == CONTAINER_EXITED ? "" :
											      "-f ",
			name);
}

int container_insert(struct store *store, const struct container_record *record, struct err *err)
{
	const struct change_step create = CHANGE_EVENT(
		EVENT_CREATE, DB_TEXT(record->id), DB_INT(record->created_ns),
		DB_TEXT(record->name), DB_TEXT(record->image), DB_TEXT(record->labels));
	const struct change_step insert = CHANGE_RECORD(
		"INSERT INTO container (id, name, image, image_id, command, state, created_ns,"
		" started_ns, finished_ns, pid, pid_start_time, monitor_pid, monitor_start_time,"
		" boot_id, exit_code, oom_killed, error, auto_remove, tty, stop_signal,"
		" stop_timeout_s, labels, restart_policy, restart_max, health, mounts, network,"
		" changed_ns)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		" ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?7)",
		DB_TEXT(record->id), DB_TEXT(record->name), DB_TEXT(record->image),
		DB_TEXT(record->image_id), DB_TEXT(record->command),
		DB_TEXT(container_state_name(record->state)), DB_INT(record->created_ns),
		DB_INT(record->started_ns), DB_INT(record->finished_ns), DB_INT(record->pid),
		DB_INT(record->pid_start_time), DB_INT(record->monitor_pid),
		DB_INT(record->monitor_start_time), DB_TEXT(record->boot_id),
		DB_INT(record->exit_code), DB_INT(record->oom_killed), DB_TEXT(record->error),
		DB_INT(record->auto_remove), DB_INT(record->tty), DB_INT(record->stop_signal),
		DB_INT(record->stop_timeout_s), DB_TEXT(record->labels),
		DB_TEXT(container_restart_name(record->restart)), DB_INT(record->restart_max),
		DB_TEXT(container_health_name(record->health)), DB_TEXT(record->mounts),
		DB_TEXT(record->network));
	int r = change_run(store, CHANGE_STEPS(create, insert), err);

	if (r == -EEXIST)
		return fail_name_in_use(store, record->name, err);
	if (r == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "image %s was removed meanwhile",
			       record->image);
	return r < 0 ? r : 0;
}

/* The row was not changed by an UPDATE: is it gone, or in a state that forbids it? */
static int fail_unchanged(struct store *store, const char *id, const char *verb, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	int r = container_find(store, id, &record, err);

	if (r < 0)
		return r;
	return err_set(err, ERR_STATE, EBUSY, "container %s is %s and cannot be %s", record.name,
		       container_state_name(record.state), verb);
}

/* `r` is what change_run() returned. */
static int check_updated(struct store *store, const char *id, const char *verb, int r,
			 struct err *err)
{
	return r > 0 ? 0 : r < 0 ? r : fail_unchanged(store, id, verb, err);
}

/* --- what is asked for at the end, and compiled before --- */

#define SET_EXITED                                                                     \
	"UPDATE container SET"                                                         \
	" state = CASE state WHEN 'removing' THEN state ELSE 'exited' END,"            \
	" exit_code = ?2, oom_killed = ?3, finished_ns = ?4, error = ?5, ending = ?6," \
	" pid = 0, pid_start_time = 0, monitor_pid = 0, monitor_start_time = 0,"       \
	" restart_count = ?7, restart_ns = 0, changed_ns = ?8"                         \
	" WHERE id = ?1 AND (state NOT IN ('running', 'paused')"                       \
	" OR (pid = ?9 AND pid_start_time = ?10))"

#define DELETE "DELETE FROM container WHERE id = ?1"

void container_expect_end(struct store *store, bool auto_remove)
{
	expected_compile(store, CONTAINER_READ);
	if (auto_remove) {
		expected_compile(store, CONTAINER_HAS_VOLUME);
		expected_compile(store, EVENT_DIE_RUNNING);
		expected_compile(store, EVENT_DESTROY);
		expected_compile(store, DELETE);
	} else {
		expected_compile(store, EVENT_DIE);
		expected_compile(store, SET_EXITED);
	}
}

int container_set_started(struct store *store, const struct container_record *record,
			  struct err *err)
{
	const int64_t now = clock_now_ns();
	const struct change_step start =
		CHANGE_EVENT(EVENT_START, DB_TEXT(record->id), DB_INT(now));
	const struct change_step update = CHANGE_RECORD(
		"UPDATE container SET state = 'running', started_ns = ?2, finished_ns = 0,"
		" pid = ?3, pid_start_time = ?4, monitor_pid = ?5, monitor_start_time = ?6,"
		" boot_id = ?7, exit_code = -1, oom_killed = 0, error = NULL,"
		" restart_count = ?8, restart_ns = 0, health = ?9, health_failures = 0,"
		" ended_by = NULL, ending = NULL, changed_ns = ?10"
		" WHERE id = ?1 AND CASE ?11 WHEN 'restarting' THEN state = 'restarting'"
		" ELSE state IN ('created', 'exited') END",
		DB_TEXT(record->id), DB_INT(record->started_ns), DB_INT(record->pid),
		DB_INT(record->pid_start_time), DB_INT(record->monitor_pid),
		DB_INT(record->monitor_start_time), DB_TEXT(record->boot_id),
		DB_INT(record->restart_count), DB_TEXT(container_health_name(record->health)),
		DB_INT(now), DB_TEXT(container_state_name(record->state)));
	int r = change_run(store, CHANGE_STEPS(start, update), err);

	return check_updated(store, record->id, "started", r, err);
}

static int insert_started(struct store *store, const struct container_record *record,
			  struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(store->db, &tx, err);

	if (r == 0)
		r = container_insert(store, record, err);
	if (r == 0)
		r = container_set_started(store, record, err);
	return r < 0 ? r : db_commit(&tx, err);
}

int container_insert_started(struct store *store, const struct container_record *record,
			     struct err *err)
{
	int r = insert_started(store, record, err);

	if (r != -ENOSPC || !db_make_room(store->db))
		return r;
	*err = (struct err)ERR_INIT;
	return insert_started(store, record, err);
}

int container_set_monitor(struct store *store, const struct container_record *record,
			  struct err *err)
{
	const struct change_step update =
		CHANGE_RECORD("UPDATE container SET monitor_pid = ?2, monitor_start_time = ?3,"
			      " boot_id = ?4 WHERE id = ?1",
			      DB_TEXT(record->id), DB_INT(record->monitor_pid),
			      DB_INT(record->monitor_start_time), DB_TEXT(record->boot_id));
	int r = change_run(store, CHANGE_STEPS(update), err);

	return check_updated(store, record->id, "adopted", r, err);
}

/* Of one that ends: what is said of that at `now`. */
#define STEP_OOM(record, now) \
	CHANGE_EVENT(EVENT_OOM, DB_TEXT((record)->id), DB_INT(now), DB_INT((record)->oom_killed))
#define STEP_DIE(sql, record, now) \
	CHANGE_EVENT(sql, DB_TEXT((record)->id), DB_INT(now), DB_INT((record)->exit_code))

int container_set_exited(struct store *store, const struct container_record *record,
			 struct err *err)
{
	const int64_t now = clock_now_ns();
	const struct change_step oom = STEP_OOM(record, now);
	const struct change_step die = STEP_DIE(EVENT_DIE, record, now);
	const struct change_step update = CHANGE_RECORD(
		SET_EXITED, DB_TEXT(record->id), DB_INT(record->exit_code),
		DB_INT(record->oom_killed), DB_INT(record->finished_ns), DB_TEXT(record->error),
		DB_TEXT(record->ending), DB_INT(record->restart_count), DB_INT(now),
		DB_INT(record->pid), DB_INT(record->pid_start_time));
	const struct change_step *steps =
		record->oom_killed ? CHANGE_STEPS(oom, die, update) : CHANGE_STEPS(die, update);
	int r = change_run_with_reserve(store, steps, err);

	return check_updated(store, record->id, "ended", r, err);
}

int container_set_restarting(struct store *store, const struct container_record *record,
			     struct err *err)
{
	const int64_t now = clock_now_ns();
	const struct change_step oom = STEP_OOM(record, now);
	const struct change_step die = STEP_DIE(EVENT_DIE_RUNNING, record, now);
	const struct change_step update = CHANGE_RECORD(
		"UPDATE container SET state = 'restarting', exit_code = ?2, oom_killed = ?3,"
		" finished_ns = ?4, error = ?5, ending = ?6, pid = 0, pid_start_time = 0,"
		" restart_count = ?7, restart_ns = ?8, changed_ns = ?9"
		" WHERE id = ?1 AND state IN ('running', 'paused', 'restarting')"
		" AND (ended_by IS NULL OR ended_by = 'health')",
		DB_TEXT(record->id), DB_INT(record->exit_code), DB_INT(record->oom_killed),
		DB_INT(record->finished_ns), DB_TEXT(record->error), DB_TEXT(record->ending),
		DB_INT(record->restart_count), DB_INT(record->restart_ns), DB_INT(now));
	int r = change_run_with_reserve(store, CHANGE_STEPS(oom, die, update), err);

	return check_updated(store, record->id, "restarted", r, err);
}

int container_cancel_restart(struct store *store, const char *id, const char *by, struct err *err)
{
	const struct change_step update =
		CHANGE_RECORD("UPDATE container SET state = 'exited', restart_ns = 0,"
			      " monitor_pid = 0, monitor_start_time = 0,"
			      " ended_by = coalesce(?2, ended_by), changed_ns = ?3"
			      " WHERE id = ?1 AND state = 'restarting'",
			      DB_TEXT(id), DB_TEXT(by), DB_INT(clock_now_ns()));

	return change_run_with_reserve(store, CHANGE_STEPS(update), err);
}

int container_set_paused(struct store *store, const char *id, bool paused, struct err *err)
{
	const int64_t now = clock_now_ns();
	const struct change_step event = CHANGE_EVENT(EVENT_PAUSE, DB_TEXT(id), DB_INT(now),
						      DB_TEXT(paused ? "pause" : "unpause"));
	const struct change_step update = CHANGE_RECORD(
		"UPDATE container SET state = ?2, changed_ns = ?4 WHERE id = ?1 AND state = ?3",
		DB_TEXT(id), DB_TEXT(paused ? "paused" : "running"),
		DB_TEXT(paused ? "running" : "paused"), DB_INT(now));
	int r = change_run(store, CHANGE_STEPS(event, update), err);

	return check_updated(store, id, paused ? "paused" : "unpaused", r, err);
}

int container_set_removing(struct store *store, const char *id, struct err *err)
{
	const struct change_step update =
		CHANGE_RECORD("UPDATE container SET state = 'removing', changed_ns = ?2"
			      " WHERE id = ?1 AND state NOT IN ('running', 'paused', 'restarting')",
			      DB_TEXT(id), DB_INT(clock_now_ns()));
	int r = change_run_with_reserve(store, CHANGE_STEPS(update), err);

	return check_updated(store, id, "removed", r, err);
}

int container_set_ended_by(struct store *store, const char *id, const char *by, struct err *err)
{
	const struct change_step update =
		CHANGE_RECORD("UPDATE container SET ended_by = ?2 WHERE id = ?1"
			      " AND state IN ('running', 'paused', 'restarting')"
			      " AND (ended_by IS NULL OR ?2 IS NOT 'health')",
			      DB_TEXT(id), DB_TEXT(by));
	int r = change_run_with_reserve(store, CHANGE_STEPS(update), err);

	return r < 0 ? r : 0;
}

int container_set_restart(struct store *store, const char *id, enum container_restart restart,
			  int restart_max, struct err *err)
{
	const struct change_step update = CHANGE_RECORD(
		"UPDATE container SET restart_policy = ?2, restart_max = ?3 WHERE id = ?1",
		DB_TEXT(id), DB_TEXT(container_restart_name(restart)), DB_INT(restart_max));
	int r = change_run(store, CHANGE_STEPS(update), err);

	return check_updated(store, id, "updated", r, err);
}

int container_set_health(struct store *store, const char *id, enum container_health health,
			 int failures, struct err *err)
{
	const int64_t now = clock_now_ns();
	const char *name = container_health_name(health);
	const struct change_step event =
		CHANGE_EVENT(EVENT_HEALTH, DB_TEXT(id), DB_INT(now), DB_TEXT(name));
	const struct change_step update = CHANGE_RECORD(
		"UPDATE container SET health = ?2, health_failures = ?3, changed_ns = ?4"
		" WHERE id = ?1",
		DB_TEXT(id), DB_TEXT(name), DB_INT(failures), DB_INT(now));
	int r = change_run(store, CHANGE_STEPS(event, update), err);

	return check_updated(store, id, "checked", r, err);
}

int container_rename(struct store *store, const char *id, const char *name, struct err *err)
{
	const int64_t now = clock_now_ns();
	const struct change_step event =
		CHANGE_EVENT(EVENT_RENAME, DB_TEXT(id), DB_INT(now), DB_TEXT(name));
	const struct change_step update =
		CHANGE_RECORD("UPDATE container SET name = ?2, changed_ns = ?3 WHERE id = ?1",
			      DB_TEXT(id), DB_TEXT(name), DB_INT(now));
	int r = change_run(store, CHANGE_STEPS(event, update), err);

	if (r == -EEXIST)
		return fail_name_in_use(store, name, err);
	return check_updated(store, id, "renamed", r, err);
}

int container_delete_ended(struct store *store, const struct container_record *ended,
			   struct err *err)
{
	const int64_t now = clock_now_ns();
	const struct change_step oom = STEP_OOM(ended, now);
	const struct change_step die = STEP_DIE(EVENT_DIE_RUNNING, ended, now);
	const struct change_step destroy =
		CHANGE_EVENT(EVENT_DESTROY, DB_TEXT(ended->id), DB_INT(now));
	const struct change_step delete = CHANGE_RECORD(DELETE, DB_TEXT(ended->id));
	const struct change_step *steps = ended->oom_killed ?
						  CHANGE_STEPS(oom, die, destroy, delete) :
						  CHANGE_STEPS(die, destroy, delete);
	int r = change_run_with_reserve(store, steps, err);

	return r < 0 ? r : 0;
}
