/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a container that runs: it is signalled, stopped, waited for, removed. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>

#include "manager/lifecycle.h"
#include "manager/lifecycle_process.h"
#include "manager/monitor/monitor.h"
#include "manager/runtime/engine.h"
#include "manager/signals.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/events.h"

/* After SIGKILL: longer only for a process that the kernel cannot let go, on a dead disk. */
#define KILL_MS 60000
/* For a monitor that has nothing to do any more but to go. */
#define LEAVE_MS 2000

/* --- signals --- */

static int not_running(const struct container_record *record, struct err *err)
{
	if (record->state == CONTAINER_RESTARTING) {
		err_set(err, ERR_STATE, ESRCH, "%s is not running: it waits to be started again",
			record->name);
		return err_hint(err, "see why it ended: cman logs %s", record->name);
	}
	err_set(err, ERR_STATE, ESRCH, "%s is not running", record->name);
	return err_hint(err, "see what became of it: cman ps -a");
}

int lifecycle_expect_running(const struct container_record *record, struct err *err)
{
	return lifecycle_runs(record->state) ? 0 : not_running(record, err);
}

/* ERR_STATE when it does not run. */
static int open_running(const struct container_record *record, struct engine_process *process,
			struct err *err)
{
	int rc = lifecycle_runs(record->state) ?
			 lifecycle_open_process(record->pid, record->pid_start_time, process, err) :
			 0;

	if (rc == 0)
		return not_running(record, err);
	return rc < 0 ? rc : 0;
}

/* The signal was sent, whether a full disk lets that be told or not. */
static void note_signal(struct store *store, const struct container_record *record, int signal)
{
	struct err err = ERR_INIT;
	char name[SIGNAL_NAME_MAX];
	const struct event event = {
		.type = "container",
		.action = "kill",
		.object = record->id,
		.name = record->name,
		.image = record->image,
		.detail = signal_name(signal, name),
		.labels = record->labels,
	};

	if (event_add(store, &event, &err) < 0)
		log_warn("%s: %s", record->name, err.text);
}

static bool asks_for_end(const struct container_record *record, int signal)
{
	return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGQUIT ||
	       signal == record->stop_signal;
}

static int kill_process(struct store *store, const struct container_record *record, int signal,
			struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	char name[SIGNAL_NAME_MAX], by[SIGNAL_NAME_MAX + sizeof("kill ")];
	int rc = open_running(record, &process, err);

	if (rc == 0 && asks_for_end(record, signal)) {
		snprintf(by, sizeof(by), "kill %s", signal_name(signal, name));
		rc = container_set_ended_by(store, record->id, by, err);
	}
	if (rc == 0)
		rc = engine_kill(&process, signal, err);
	if (rc == -ESRCH)
		rc = not_running(record, err);
	engine_process_release(&process);
	if (rc == 0)
		note_signal(store, record, signal);
	return rc;
}

int lifecycle_kill(struct store *store, struct container_record *record, int signal,
		   struct err *err)
{
	int rc;

	if (record->state == CONTAINER_RESTARTING && asks_for_end(record, signal)) {
		rc = lifecycle_cancel_restart(store, record, "kill", err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return kill_process(store, record, signal, err);
}

/* Its row was changed: it looks, and goes. One that is gone already is as good. */
static void dismiss_monitor(const struct container_record *record)
{
	struct engine_process monitor = ENGINE_PROCESS_INIT;
	struct err err = ERR_INIT;
	struct pollfd end = { .events = POLLIN };
	int rc = lifecycle_open_process(record->monitor_pid, record->monitor_start_time, &monitor,
					&err);

	if (rc > 0)
		rc = engine_kill(&monitor, MONITOR_WAKE_SIGNAL, &err);
	end.fd = monitor.pidfd;
	if (rc == 0 && end.fd >= 0)
		rc = lifecycle_wait_readable(&end, 1, LEAVE_MS, &err);
	if (rc < 0)
		log_debug("%s", err.text);
	engine_process_release(&monitor);
}

int lifecycle_cancel_restart(struct store *store, struct container_record *record, const char *by,
			     struct err *err)
{
	int cancelled = container_cancel_restart(store, record->id, by, err);
	int rc;

	if (cancelled > 0)
		dismiss_monitor(record);
	rc = cancelled < 0 ? cancelled : lifecycle_reread(store, record, err);
	return rc < 0 ? rc : cancelled;
}

/* Signal it and wait for its end: 1, or 0 when it goes on for `ms`. Ended already counts. */
static int end_with(const struct engine_process *process, int signal, int64_t ms, struct err *err)
{
	struct pollfd fd = { .fd = process->pidfd, .events = POLLIN };
	int rc = engine_kill(process, signal, err);

	if (rc < 0 && err->num != ESRCH)
		return rc;
	return lifecycle_wait_readable(&fd, 1, ms, err);
}

static int stop_process(const struct container_record *record, const struct stop_how *how,
			struct err *err)
{
	int own = record->stop_signal ? record->stop_signal : SIGTERM;
	struct engine_process process = ENGINE_PROCESS_INIT;
	int ended = lifecycle_open_process(record->pid, record->pid_start_time, &process, err);

	if (ended <= 0) {
		engine_process_release(&process);
		return ended;
	}
	ended = 0;
	/* No time to end by itself is no time to be asked to. */
	if (how->timeout_s != 0)
		ended = end_with(&process, how->signal ? how->signal : own,
				 how->timeout_s < 0 ? -1 : how->timeout_s * INT64_C(1000), err);
	if (ended == 0)
		ended = end_with(&process, SIGKILL, KILL_MS, err);
	engine_process_release(&process);
	if (ended == 0)
		return err_set(err, ERR_SYS, ETIMEDOUT, "%s does not end even when it is killed",
			       record->name);
	return ended < 0 ? ended : 0;
}

/* One that is paused has to go on to see the signal. SIGKILL reaches it as it is. */
static int let_go(struct store *store, struct container_record *record, struct err *err)
{
	struct err why = ERR_INIT;

	if (record->state != CONTAINER_PAUSED || lifecycle_unpause(store, record, &why) == 0 ||
	    why.kind == ERR_STATE) /* it does so already, or has ended */
		return 0;
	*err = why;
	return err_code(err);
}

int lifecycle_stop(struct store *store, struct container_record *record, const struct stop_how *how,
		   struct err *err)
{
	int rc = 0;

	/* Once, but where its monitor started it again between two looks at the row. */
	while (rc == 0 &&
	       (lifecycle_runs(record->state) || record->state == CONTAINER_RESTARTING)) {
		if (record->state == CONTAINER_RESTARTING) {
			rc = lifecycle_cancel_restart(store, record, how->by, err);
			rc = rc < 0 ? rc : 0;
			continue;
		}
		rc = container_set_ended_by(store, record->id, how->by, err);
		if (rc == 0 && how->timeout_s != 0)
			rc = let_go(store, record, err);
		if (rc == 0)
			rc = stop_process(record, how, err);
		if (rc == 0)
			rc = lifecycle_await_record(store, record, err);
	}
	return rc < 0 && err->kind == ERR_NOT_FOUND ? lifecycle_gone(record, err) : rc;
}

/* --- wait --- */

/* Until the process has ended, or the monitor is gone. */
static int wait_for_process(const struct container_record *record, struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	struct engine_process monitor = ENGINE_PROCESS_INIT;
	int rc = lifecycle_open_process(record->pid, record->pid_start_time, &process, err);

	if (rc > 0)
		rc = lifecycle_open_process(record->monitor_pid, record->monitor_start_time,
					    &monitor, err);
	if (rc >= 0 && process.pidfd >= 0) {
		struct pollfd fds[2] = {
			{ .fd = process.pidfd, .events = POLLIN },
			{ .fd = monitor.pidfd, .events = POLLIN },
		};

		rc = lifecycle_wait_readable(fds, 2, -1, err);
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
	rc = lifecycle_reread(store, record, err);
	if (rc == 0)
		rc = lifecycle_refresh(store, record, err);
	while (rc == 0 && lifecycle_runs(record->state)) {
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

static int stop_and_remove(struct store *store, struct container_record *record, unsigned how,
			   struct err *err)
{
	const struct stop_how stop = { .by = "rm" };
	int rc = lifecycle_stop(store, record, &stop, err);

	if (rc == 0)
		rc = set_removing(store, record, err);
	/* As it would have been with --rm. */
	record->auto_remove = record->auto_remove || (how & LIFECYCLE_VOLUMES);
	return rc < 0 ? rc : lifecycle_erase(store, record, err);
}

int lifecycle_remove(struct store *store, struct container_record *record, unsigned how,
		     struct err *err)
{
	const bool force = how & LIFECYCLE_FORCE;
	int rc;

	if ((lifecycle_runs(record->state) || record->state == CONTAINER_RESTARTING) && !force) {
		err_set(err, ERR_STATE, EBUSY, "%s is %s", record->name,
			record->state == CONTAINER_RESTARTING ? "restarting" : "running");
		return err_hint(err,
				"stop it first: cman stop %s, or remove it all the same: "
				"cman rm -f %s",
				record->name, record->name);
	}
	rc = stop_and_remove(store, record, how, err);
	/* It was just being started: now it runs, and can be stopped. */
	if (rc < 0 && err->kind == ERR_STATE && force) {
		*err = (struct err)ERR_INIT;
		rc = lifecycle_reread(store, record, err);
		if (rc == 0)
			rc = stop_and_remove(store, record, how, err);
	}
	/* Somebody else was faster, or --rm was. */
	if (rc < 0 && err->kind == ERR_NOT_FOUND) {
		*err = (struct err)ERR_INIT;
		return 0;
	}
	return rc;
}
