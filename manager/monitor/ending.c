/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "manager/lifecycle.h"
#include "manager/monitor/state.h"
#include "manager/runtime/cgroup.h"
#include "store/base/clock.h"

#define EXIT_SIGNALLED 128

static int exit_code_of(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return EXIT_SIGNALLED + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

/* The payload's status into the record. One that cannot be had is said to be lost, not made up. */
static void take_status(struct monitor *monitor)
{
	struct container_record *record = &monitor->record;
	struct err err = ERR_INIT;
	int wait_status;

	record->finished_ns = clock_now_ns();
	if (engine_wait(&monitor->process, &wait_status, &err) < 0) {
		record->exit_code = -1;
		record->error = strdup(err.text);
		return;
	}
	record->exit_code = exit_code_of(wait_status);
	if (record->exit_code == EXIT_SIGNALLED + SIGKILL)
		record->oom_killed = cgroup_oom_killed(monitor->spec.cgroups_path);
}

int monitor_end(struct monitor *monitor, int *exit_code, struct err *err)
{
	struct container_record *record = &monitor->record;
	int rc;

	take_status(monitor);
	/*
	 * Its PID namespace is gone, and with it every writer: what the pipes hold is all there is.
	 */
	relay_drain(&monitor->out, &monitor->journal);
	relay_drain(&monitor->err, &monitor->journal);
	*exit_code = record->exit_code;
	if (record->auto_remove) {
		journal_discard(&monitor->journal);
		return lifecycle_erase(&monitor->store, record, err);
	}
	rc = journal_close(&monitor->journal, err);
	if (rc < 0 && !record->error)
		record->error = strdup(err->text);
	rc = engine_cleanup(&monitor->spec, err);
	if (rc < 0 && !record->error)
		record->error = strdup(err->text);
	return container_set_exited(&monitor->store, record, err);
}
