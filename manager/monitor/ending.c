/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "manager/ending.h"
#include "manager/exit_status.h"
#include "manager/joined.h"
#include "manager/lifecycle.h"
#include "manager/monitor/state.h"
#include "manager/restart_policy.h"
#include "manager/runtime/cgroup.h"
#include "store/base/clock.h"
#include "store/base/log.h"

static int exit_code_of(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return EXIT_SIGNALLED + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

/* For `cman why`, of a container that stays to be asked about. The groups are there yet. */
static void take_ending(struct monitor *monitor, int wait_status, const char *ended_with)
{
	struct container_record *record = &monitor->record;
	struct ending ending = {
		.duration_ns = record->finished_ns - record->started_ns,
		.signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0,
		.health_lost = monitor->health.lost,
	};
	struct err err = ERR_INIT;

	if (ending.signal == SIGKILL)
		strcpy(ending.ended_with, ended_with);
	usage_read_end(monitor->spec.cgroups_path, &ending.usage);
	if (ending_print(&ending, &record->ending, &err) < 0)
		log_debug("%s: %s", record->name, err.text);
}

/* To be asked before its process is reaped. */
static void find_cause(struct monitor *monitor, char ended_with[CONTAINER_NAME_MAX + 1])
{
	struct err ignored = ERR_INIT;

	ended_with[0] = '\0';
	if (monitor->spec.joins[spec_namespace_index(SPEC_NS_PID)].container &&
	    monitor_wake(monitor, &ignored) == 0)
		(void)joined_ends(&monitor->store, &monitor->spec, ended_with);
}

/* The payload's status into the record. One that cannot be had is said to be lost, not made up. */
static void take_status(struct monitor *monitor)
{
	struct container_record *record = &monitor->record;
	char ended_with[CONTAINER_NAME_MAX + 1];
	struct err err = ERR_INIT;
	int wait_status;

	find_cause(monitor, ended_with);
	record->finished_ns = clock_now_ns();
	if (engine_wait(&monitor->process, &wait_status, &err) < 0) {
		record->exit_code = -1;
		record->error = strdup(err.text);
		return;
	}
	record->exit_code = exit_code_of(wait_status);
	if (record->exit_code == EXIT_SIGNALLED + SIGKILL)
		record->oom_killed = cgroup_oom_killed(monitor->spec.cgroups_path);
	if (!record->auto_remove)
		take_ending(monitor, wait_status, ended_with);
}

int monitor_read_row(struct monitor *monitor, struct container_record *now, struct err *err)
{
	int rc = container_read(&monitor->store, monitor->record.id, now, err);

	if (rc < 0 && err->kind != ERR_NOT_FOUND)
		return rc;
	if (rc == 0)
		return now->state != CONTAINER_REMOVING &&
		       now->monitor_pid == monitor->record.monitor_pid &&
		       now->monitor_start_time == monitor->record.monitor_start_time;
	*err = (struct err)ERR_INIT;
	return 0;
}

static int record_restart(struct monitor *monitor, struct err *err)
{
	struct container_record *record = &monitor->record;
	int rc;

	monitor->delay_ms = restart_policy_delay_ms(monitor->delay_ms,
						    record->finished_ns - record->started_ns);
	record->restart_ns = record->finished_ns + monitor->delay_ms * NS_PER_MS;
	rc = container_set_restarting(&monitor->store, record, err);
	if (rc == 0)
		record->state = CONTAINER_RESTARTING;
	return rc;
}

/* What its own health check asked for goes before the policy. */
static bool wants_restart(const struct monitor *monitor, const struct container_record *now)
{
	if (now->ended_by && strcmp(now->ended_by, ENDED_BY_HEALTH) == 0) {
		if (monitor->spec.health.on_failure == SPEC_HEALTH_STOP)
			return false;
		if (monitor->spec.health.on_failure == SPEC_HEALTH_RESTART)
			return true;
	}
	return restart_policy_wants(now);
}

int monitor_record_end(struct monitor *monitor, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	struct container_record *record = &monitor->record;
	int rc = monitor_read_row(monitor, &now, err);

	record->state = CONTAINER_EXITED;
	if (rc <= 0)
		return rc;
	now.exit_code = record->exit_code;
	now.restart_count = record->restart_count;
	if (wants_restart(monitor, &now)) {
		rc = record_restart(monitor, err);
		/* Somebody has asked for its end at the last moment. */
		if (rc == 0 || err->kind != ERR_STATE)
			return rc;
		*err = (struct err)ERR_INIT;
	}
	monitor_unclaim(monitor);
	return container_set_exited(&monitor->store, record, err);
}

/* Whether the end of its first process is not that of all. */
static bool shares_processes(const struct spec *spec)
{
	return !(spec_new_namespaces(spec) & SPEC_NS_PID);
}

/* With --rm, unless it was stopped to be started again. */
static bool is_to_be_removed(struct monitor *monitor)
{
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	struct err missing = ERR_INIT;

	if (!monitor->record.auto_remove)
		return false;
	return container_read(&monitor->store, monitor->record.id, &now, &missing) < 0 ||
	       !lifecycle_is_restarted(&now);
}

/* The next command finds that nobody attends to it. */
static int end_unrecorded(struct monitor *monitor, const struct err *err)
{
	struct err ignored = ERR_INIT;

	(void)journal_close(&monitor->journal, &ignored);
	(void)engine_cleanup(&monitor->spec, &ignored);
	return err_code(err);
}

static int end(struct monitor *monitor, struct err *err)
{
	struct container_record *record = &monitor->record;
	struct err ignored = ERR_INIT;
	int rc;

	monitor_health_end(monitor);
	take_status(monitor);
	if (shares_processes(&monitor->spec))
		(void)engine_cleanup(&monitor->spec, &ignored);
	/*
	 * With its PID namespace, or by now its cgroup, every writer is gone: what the pipes hold
	 * is all there is.
	 */
	relay_drain(&monitor->out, &monitor->clients, &monitor->journal);
	relay_drain(&monitor->err, &monitor->clients, &monitor->journal);
	/* Who comes now finds it ended. */
	monitor_unlisten(monitor);
	if (monitor_do_for_end(monitor, monitor_wake, err) < 0)
		return end_unrecorded(monitor, err);
	if (is_to_be_removed(monitor)) {
		record->state = CONTAINER_EXITED;
		journal_discard(&monitor->journal);
		return lifecycle_forget(&monitor->store, record, monitor->trash, err);
	}
	rc = journal_close(&monitor->journal, err);
	if (rc < 0 && !record->error)
		record->error = strdup(err->text);
	rc = engine_cleanup(&monitor->spec, err);
	if (rc < 0 && !record->error)
		record->error = strdup(err->text);
	return monitor_do_for_end(monitor, monitor_record_end, err);
}

int monitor_serve(struct monitor *monitor, struct err *err)
{
	struct packet packet = { .type = PACKET_EXITED };
	int rc = monitor_loop(monitor, err);

	if (rc < 0)
		return rc;
	rc = end(monitor, err);
	packet.exit_code = monitor->record.exit_code;
	monitor_tell(monitor, &packet);
	return rc;
}
