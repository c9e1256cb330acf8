/* SPDX-License-Identifier: Apache-2.0 */
/* The truth about a container that is said to run: its process, and who looks after it. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "manager/lifecycle.h"
#include "manager/lifecycle_process.h"
#include "manager/monitor/claim.h"
#include "manager/monitor/monitor.h"
#include "manager/restart_policy.h"
#include "manager/runtime/engine.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"

/* How long a living monitor may take to record an end. It has a log to write out first. */
#define RECORD_MS 10000

bool lifecycle_runs(enum container_state state)
{
	return state == CONTAINER_RUNNING || state == CONTAINER_PAUSED;
}

int lifecycle_wait_readable(struct pollfd *fds, nfds_t n, int64_t ms, struct err *err)
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

int lifecycle_reread(struct store *store, struct container_record *record, struct err *err)
{
	struct container_record now = CONTAINER_RECORD_INIT;
	int rc = container_read(store, record->id, &now, err);

	if (rc < 0)
		return rc;
	container_record_release(record);
	*record = now;
	return 0;
}

int lifecycle_open_process(pid_t pid, uint64_t start_time, struct engine_process *process,
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

/* It failed, as far as anybody can tell: its policy may want a new monitor to start it again. */
static int record_end(struct store *store, struct container_record *record, bool may_restart,
		      struct err *err)
{
	int rc;

	if (!may_restart || !restart_policy_wants(record))
		return container_set_exited(store, record, err);
	record->restart_ns = record->finished_ns + restart_policy_delay_ms(0, 0) * NS_PER_MS;
	rc = container_set_restarting(store, record, err);
	if (rc == 0)
		record->state = CONTAINER_RESTARTING;
	if (rc == 0 || err->kind != ERR_STATE)
		return rc;
	/* Somebody has asked for its end at the last moment. */
	*err = (struct err)ERR_INIT;
	return container_set_exited(store, record, err);
}

/* Another process than when it was looked at: it has ended, and was started again. */
static bool is_same_run(const struct container_record *record, pid_t pid, uint64_t start_time)
{
	return lifecycle_runs(record->state) && record->pid == pid &&
	       record->pid_start_time == start_time;
}

/* With the claim held: what is left of it is nobody else's. */
static int record_lost_end(struct store *store, struct container_record *record, const char *why,
			   bool may_restart, struct err *err)
{
	bool remove = record->auto_remove && !lifecycle_is_restarted(record);
	int rc;

	free(record->error);
	record->error = strdup(why);
	record->exit_code = -1;
	record->finished_ns = clock_now_ns();
	record->state = CONTAINER_EXITED;
	rc = remove ? lifecycle_erase(store, record, err) :
		      lifecycle_destroy_cgroup(store, record->id, err);
	if (rc == 0 && !remove)
		rc = record_end(store, record, may_restart, err);
	/* Its end is recorded already, and it runs again. */
	if (rc < 0 && err->kind == ERR_STATE) {
		*err = (struct err)ERR_INIT;
		return lifecycle_reread(store, record, err);
	}
	if (rc < 0 && err->kind != ERR_NOT_FOUND)
		return rc;
	record->pid = 0;
	if (record->state != CONTAINER_RESTARTING)
		record->monitor_pid = 0;
	return 0;
}

/*
 * It has ended and has no monitor. But somebody may be a step ahead of us, and have recorded that
 * and started it again: then 0, and *record is what it has become, perhaps the same as before, as
 * long as somebody else holds its claim. 1: it is recorded.
 */
static int take_lost_end(struct store *store, struct container_record *record, const char *why,
			 bool may_restart, struct err *err)
{
	AUTO_CLOSE int dir_fd = -1, claim_fd = -1;
	struct err missing = ERR_INIT;
	const pid_t pid = record->pid;
	const uint64_t start_time = record->pid_start_time;
	int rc;

	/* Without a directory nobody can start it. */
	if (container_dir_open(store, record->id, &dir_fd, &missing) == 0) {
		rc = claim_take(dir_fd, &claim_fd);
		if (rc == -EBUSY)
			return lifecycle_reread(store, record, err);
		if (rc < 0)
			return err_sys(err, -rc, "%s: cannot record its end", record->name);
	}
	rc = lifecycle_reread(store, record, err);
	if (rc < 0 || !is_same_run(record, pid, start_time))
		return rc;
	rc = record_lost_end(store, record, why, may_restart, err);
	return rc < 0 ? rc : 1;
}

/* It lives, as it holds its claim. `monitor` as below. */
static int explain_silence(const struct container_record *record, int monitor, struct err *err)
{
	err_set(err, ERR_SYS, ETIMEDOUT,
		"%s has ended, but its monitor (process %d) does not record it", record->name,
		(int)record->monitor_pid);
	if (monitor < 0)
		return err_hint(err, "it is not seen from here: is it of another PID namespace?");
	return err_hint(err, "if it is stopped, let it go on: kill -CONT %d",
			(int)record->monitor_pid);
}

/* The monitor's pidfd; -1: it is gone. `why`: what to record then. */
static int await_record(struct store *store, struct container_record *record, int monitor,
			const char *why, bool may_restart, struct err *err)
{
	struct pollfd end = { .fd = monitor, .events = POLLIN };
	const pid_t pid = record->pid;
	const uint64_t start_time = record->pid_start_time;
	int64_t pause_ms = 1;
	int rc;

	for (int64_t waited_ms = 0;; waited_ms += pause_ms) {
		/* Looked at before the row: what a monitor writes, it writes before it is gone. */
		if (end.fd >= 0 && lifecycle_wait_readable(&end, 1, 0, err) != 0)
			end.fd = -1;
		rc = end.fd >= 0 ? lifecycle_reread(store, record, err) :
				   take_lost_end(store, record, why, may_restart, err);
		if (rc != 0 || !is_same_run(record, pid, start_time))
			return rc < 0 ? rc : 0;
		if (waited_ms >= RECORD_MS)
			return explain_silence(record, end.fd, err);
		pause_ms = pause_ms < 16 ? pause_ms * 2 : pause_ms;
		if (lifecycle_wait_readable(&end, 1, pause_ms, err) < 0)
			return err_code(err);
	}
}

int lifecycle_await_record(struct store *store, struct container_record *record, struct err *err)
{
	struct engine_process monitor = ENGINE_PROCESS_INIT;
	int rc = lifecycle_open_process(record->monitor_pid, record->monitor_start_time, &monitor,
					err);

	if (rc >= 0)
		rc = await_record(store, record, monitor.pidfd,
				  "its monitor was killed, and so its exit status is lost", true,
				  err);
	engine_process_release(&monitor);
	return rc;
}

int lifecycle_gone(struct container_record *record, struct err *err)
{
	*err = (struct err)ERR_INIT;
	record->state = CONTAINER_REMOVING;
	return 0;
}

/* It runs, or will: with its monitor, or else with a new one that adopts it. */
static int ensure_monitor(struct store *store, struct container_record *record, struct err *err)
{
	struct engine_process monitor = ENGINE_PROCESS_INIT;
	struct err failure = ERR_INIT;
	int rc = lifecycle_open_process(record->monitor_pid, record->monitor_start_time, &monitor,
					err);

	engine_process_release(&monitor);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* Who cannot adopt it (it has ended, somebody else was faster) still sees it as it is. */
	if (monitor_spawn_adopter(store, record, &failure) < 0)
		log_debug("%s", failure.text);
	rc = lifecycle_reread(store, record, err);
	return rc < 0 && err->kind == ERR_NOT_FOUND ? lifecycle_gone(record, err) : rc;
}

/* The machine was restarted: nothing of it runs, and whether it will again is for `cman boot`. */
static int forget_boot(struct store *store, struct container_record *record, struct err *err)
{
	int rc;

	if (lifecycle_runs(record->state)) {
		rc = await_record(store, record, -1, "the machine was restarted while it ran",
				  false, err);
	} else {
		rc = container_cancel_restart(store, record->id, NULL, err);
		if (rc >= 0)
			rc = lifecycle_reread(store, record, err);
	}
	return rc < 0 && err->kind == ERR_NOT_FOUND ? lifecycle_gone(record, err) : rc;
}

int lifecycle_refresh(struct store *store, struct container_record *record, struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	char boot_id[sizeof(record->boot_id)];
	int rc;

	if (!lifecycle_runs(record->state) && record->state != CONTAINER_RESTARTING)
		return 0;
	rc = lifecycle_boot_id(boot_id, err);
	if (rc < 0)
		return rc;
	if (strcmp(boot_id, record->boot_id) != 0)
		return forget_boot(store, record, err);
	if (record->state == CONTAINER_RESTARTING)
		return ensure_monitor(store, record, err);
	rc = lifecycle_open_process(record->pid, record->pid_start_time, &process, err);
	engine_process_release(&process);
	if (rc > 0)
		return ensure_monitor(store, record, err);
	if (rc < 0)
		return rc;
	rc = lifecycle_await_record(store, record, err);
	if (rc == 0 && record->state == CONTAINER_RESTARTING)
		rc = ensure_monitor(store, record, err);
	return rc < 0 && err->kind == ERR_NOT_FOUND ? lifecycle_gone(record, err) : rc;
}

int lifecycle_find(struct store *store, const char *name_or_id, struct container_record *out,
		   struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	int rc = container_find(store, name_or_id, &record, err);

	if (rc < 0)
		return rc;
	if (lifecycle_refresh(store, &record, err) < 0)
		return err_wrap(err, "%s", record.name);
	*out = record;
	record = (struct container_record)CONTAINER_RECORD_INIT;
	return 0;
}
