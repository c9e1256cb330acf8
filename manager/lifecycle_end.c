/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a container that runs: it is signalled, stopped, waited for, found dead. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "manager/lifecycle.h"
#include "manager/monitor/monitor.h"
#include "manager/runtime/engine.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"

/* How long a living monitor may take to record an end. It has a log to write out first. */
#define RECORD_MS 10000
/* After SIGKILL: longer only for a process that the kernel cannot let go, on a dead disk. */
#define KILL_MS 60000
#define NS_PER_MS INT64_C(1000000)

static bool runs(enum container_state state)
{
	return state == CONTAINER_RUNNING || state == CONTAINER_PAUSED;
}

/* Wait until a descriptor polls readable: 1, or 0 after `ms` (-1: never). */
static int wait_readable(struct pollfd *fds, nfds_t n, int64_t ms, struct err *err)
{
	int64_t end = clock_monotonic_ns() + ms * NS_PER_MS;
	int rc;

	for (;;) {
		int64_t left =
			ms < 0 ? -1 : (end - clock_monotonic_ns() + NS_PER_MS - 1) / NS_PER_MS;

		if (ms >= 0 && left < 0)
			left = 0;
		rc = poll(fds, n, left > INT_MAX ? INT_MAX : (int)left);
		if (rc > 0 || (rc == 0 && left <= INT_MAX))
			return rc;
		if (rc < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for a process");
	}
}

/* Read the row again. A row that is gone leaves *record as it was: ERR_NOT_FOUND. */
static int reread(struct store *store, struct container_record *record, struct err *err)
{
	struct container_record now = CONTAINER_RECORD_INIT;
	int rc = container_find(store, record->id, &now, err);

	if (rc < 0)
		return rc;
	container_record_release(record);
	*record = now;
	return 0;
}

/* 1 with an open *process (to be released) when that process runs, 0 when it has ended. */
static int open_process(pid_t pid, uint64_t start_time, struct engine_process *process,
			struct err *err)
{
	struct err gone = ERR_INIT;
	int rc;

	if (pid <= 0)
		return 0;
	rc = engine_open(pid, start_time, process, &gone);
	if (rc == 0)
		return 1;
	if (gone.kind == ERR_STATE)
		return 0;
	*err = gone;
	return rc;
}

/* --- the end that nobody recorded --- */

static int record_lost_end(struct store *store, struct container_record *record, const char *why,
			   struct err *err)
{
	int rc;

	free(record->error);
	record->error = strdup(why);
	record->exit_code = -1;
	record->finished_ns = clock_now_ns();
	record->state = CONTAINER_EXITED;
	rc = record->auto_remove ? lifecycle_erase(store, record, err) :
				   container_set_exited(store, record, err);
	if (rc < 0 && err->kind != ERR_NOT_FOUND)
		return rc;
	record->pid = 0;
	record->monitor_pid = 0;
	return 0;
}

/*
 * The process has ended: wait until its monitor has recorded that, and do it ourselves when the
 * monitor is gone. Returns ERR_NOT_FOUND when the row was removed, as with --rm.
 */
static int await_record(struct store *store, struct container_record *record, struct err *err)
{
	struct engine_process monitor = ENGINE_PROCESS_INIT;
	int64_t pause_ms = 1;
	int64_t waited_ms = 0;
	int alive = open_process(record->monitor_pid, record->monitor_start_time, &monitor, err);
	int rc = alive < 0 ? alive : 0;

	while (rc == 0) {
		struct pollfd fd = { .fd = monitor.pidfd, .events = POLLIN };

		/* Looked at before the row: what a monitor writes, it writes before it is gone. */
		if (alive)
			alive = wait_readable(&fd, 1, 0, err) == 0;
		rc = reread(store, record, err);
		if (rc < 0 || !runs(record->state))
			break;
		if (!alive) {
			rc = record_lost_end(
				store, record,
				"its monitor was killed, and so its exit status is lost", err);
			break;
		}
		if (waited_ms >= RECORD_MS) {
			rc = err_set(
				err, ERR_SYS, ETIMEDOUT,
				"%s has ended, but its monitor (process %d) does not record it",
				record->name, (int)record->monitor_pid);
			break;
		}
		rc = wait_readable(&fd, 1, pause_ms, err) < 0 ? err_code(err) : 0;
		waited_ms += pause_ms;
		pause_ms = pause_ms < 16 ? pause_ms * 2 : pause_ms;
	}
	engine_process_release(&monitor);
	return rc;
}

/* Removed by its monitor, or by somebody else, while it was looked at: no error. */
static int gone(struct container_record *record, struct err *err)
{
	*err = (struct err)ERR_INIT;
	record->state = CONTAINER_REMOVING;
	return 0;
}

/* It runs: with its monitor, or else with a new one that adopts it. */
static int ensure_monitor(struct store *store, struct container_record *record, struct err *err)
{
	struct engine_process monitor = ENGINE_PROCESS_INIT;
	struct err failure = ERR_INIT;
	int rc = open_process(record->monitor_pid, record->monitor_start_time, &monitor, err);

	engine_process_release(&monitor);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* Who cannot adopt it (it has ended, somebody else was faster) still sees it as it is. */
	if (monitor_spawn_adopter(store, record, &failure) < 0)
		log_debug("%s", failure.text);
	rc = reread(store, record, err);
	return rc < 0 && err->kind == ERR_NOT_FOUND ? gone(record, err) : rc;
}

int lifecycle_refresh(struct store *store, struct container_record *record, struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	char boot_id[sizeof(record->boot_id)];
	int rc;

	if (!runs(record->state))
		return 0;
	rc = lifecycle_boot_id(boot_id, err);
	if (rc < 0)
		return rc;
	if (strcmp(boot_id, record->boot_id) != 0)
		return record_lost_end(store, record, "the machine was restarted while it ran",
				       err);
	rc = open_process(record->pid, record->pid_start_time, &process, err);
	engine_process_release(&process);
	if (rc > 0)
		return ensure_monitor(store, record, err);
	if (rc < 0)
		return rc;
	rc = await_record(store, record, err);
	return rc < 0 && err->kind == ERR_NOT_FOUND ? gone(record, err) : rc;
}

int lifecycle_find(struct store *store, const char *name_or_id, struct container_record *out,
		   struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	int rc = container_find(store, name_or_id, &record, err);

	if (rc == 0)
		rc = lifecycle_refresh(store, &record, err);
	if (rc < 0)
		return rc;
	*out = record;
	record = (struct container_record)CONTAINER_RECORD_INIT;
	return 0;
}

/* --- signals --- */

static int not_running(const struct container_record *record, struct err *err)
{
	err_set(err, ERR_STATE, ESRCH, "%s is not running", record->name);
	return err_hint(err, "see what became of it: cman ps -a");
}

int lifecycle_expect_running(const struct container_record *record, struct err *err)
{
	return runs(record->state) ? 0 : not_running(record, err);
}

/* ERR_STATE when it does not run. */
static int open_running(const struct container_record *record, struct engine_process *process,
			struct err *err)
{
	int rc = runs(record->state) ?
			 open_process(record->pid, record->pid_start_time, process, err) :
			 0;

	if (rc == 0)
		return not_running(record, err);
	return rc < 0 ? rc : 0;
}

int lifecycle_kill(struct store *store, struct container_record *record, int signal,
		   struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	int rc = open_running(record, &process, err);

	(void)store;
	if (rc == 0)
		rc = engine_kill(&process, signal, err);
	engine_process_release(&process);
	return rc;
}

/* Signal it and wait for its end: 1, or 0 when it goes on for `ms`. Ended already counts. */
static int end_with(const struct engine_process *process, int signal, int64_t ms, struct err *err)
{
	struct pollfd fd = { .fd = process->pidfd, .events = POLLIN };
	int rc = engine_kill(process, signal, err);

	if (rc < 0 && err->num != ESRCH)
		return rc;
	return wait_readable(&fd, 1, ms, err);
}

static int stop_process(const struct container_record *record, int timeout_s, struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	int ended = open_process(record->pid, record->pid_start_time, &process, err);

	if (ended <= 0) {
		engine_process_release(&process);
		return ended;
	}
	ended = 0;
	/* No time to end by itself is no time to be asked to. */
	if (timeout_s != 0)
		ended = end_with(&process, record->stop_signal ? record->stop_signal : SIGTERM,
				 timeout_s < 0 ? -1 : timeout_s * INT64_C(1000), err);
	if (ended == 0)
		ended = end_with(&process, SIGKILL, KILL_MS, err);
	engine_process_release(&process);
	if (ended == 0)
		return err_set(err, ERR_SYS, ETIMEDOUT, "%s does not end even when it is killed",
			       record->name);
	return ended < 0 ? ended : 0;
}

int lifecycle_stop(struct store *store, struct container_record *record, int timeout_s,
		   struct err *err)
{
	int rc;

	if (!runs(record->state))
		return 0;
	rc = stop_process(record, timeout_s, err);
	if (rc == 0)
		rc = await_record(store, record, err);
	return rc < 0 && err->kind == ERR_NOT_FOUND ? gone(record, err) : rc;
}

/* --- wait --- */

/* Until the process has ended, or the monitor is gone. */
static int wait_for_process(const struct container_record *record, struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	struct engine_process monitor = ENGINE_PROCESS_INIT;
	int rc = open_process(record->pid, record->pid_start_time, &process, err);

	if (rc > 0)
		rc = open_process(record->monitor_pid, record->monitor_start_time, &monitor, err);
	if (rc >= 0 && process.pidfd >= 0) {
		struct pollfd fds[2] = {
			{ .fd = process.pidfd, .events = POLLIN },
			{ .fd = monitor.pidfd, .events = POLLIN },
		};

		rc = wait_readable(fds, 2, -1, err);
	}
	engine_process_release(&process);
	engine_process_release(&monitor);
	return rc < 0 ? rc : 0;
}

int lifecycle_wait(struct store *store, struct container_record *record, int *exit_code,
		   struct err *err)
{
	AUTO_CLOSE int lock_fd = -1;
	int rc = container_dir_open(store, record->id, &lock_fd, err);

	if (rc < 0)
		return rc;
	/* While we hold it, the row is not removed before we have read how it ended. */
	while (flock(lock_fd, LOCK_SH) < 0) {
		if (errno != EINTR)
			return err_sys(err, errno, "cannot wait for %s", record->name);
	}
	rc = reread(store, record, err);
	if (rc == 0)
		rc = lifecycle_refresh(store, record, err);
	while (rc == 0 && runs(record->state)) {
		rc = wait_for_process(record, err);
		if (rc == 0)
			rc = lifecycle_refresh(store, record, err);
	}
	if (rc < 0)
		return rc;
	if (record->finished_ns == 0)
		return err_set(err, ERR_STATE, EINVAL, "%s was never started", record->name);
	*exit_code = record->exit_code;
	return 0;
}

/* --- remove --- */

/*
 * What fills the disk may be the container itself: where there is no room to record that it goes,
 * its files go first.
 */
static int set_removing(struct store *store, const struct container_record *record, struct err *err)
{
	struct err ignored = ERR_INIT;
	int rc = container_set_removing(store, record->id, err);

	if (rc != -ENOSPC || record->state != CONTAINER_EXITED ||
	    container_dir_remove(store, record->id, &ignored) < 0)
		return rc;
	*err = (struct err)ERR_INIT;
	return container_set_removing(store, record->id, err);
}

static int stop_and_remove(struct store *store, struct container_record *record, struct err *err)
{
	int rc = lifecycle_stop(store, record, 0, err);

	if (rc == 0)
		rc = set_removing(store, record, err);
	return rc < 0 ? rc : lifecycle_erase(store, record, err);
}

int lifecycle_remove(struct store *store, struct container_record *record, bool force,
		     struct err *err)
{
	int rc;

	if (runs(record->state) && !force) {
		err_set(err, ERR_STATE, EBUSY, "%s is running", record->name);
		return err_hint(err,
				"stop it first: cman stop %s, or remove it all the same: "
				"cman rm -f %s",
				record->name, record->name);
	}
	rc = stop_and_remove(store, record, err);
	/* It was just being started: now it runs, and can be stopped. */
	if (rc < 0 && err->kind == ERR_STATE && force) {
		*err = (struct err)ERR_INIT;
		rc = reread(store, record, err);
		if (rc == 0)
			rc = stop_and_remove(store, record, err);
	}
	/* Somebody else was faster, or --rm was. */
	if (rc < 0 && err->kind == ERR_NOT_FOUND) {
		*err = (struct err)ERR_INIT;
		return 0;
	}
	return rc;
}
