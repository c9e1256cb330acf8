/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a container that could not be started, and what is said of it. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "manager/lifecycle.h"
#include "manager/monitor/state.h"
#include "store/base/clock.h"
#include "store/base/log.h"

enum meddling {
	MEDDLING_NONE,
	MEDDLING_STOPPED,
	MEDDLING_RESTARTED,
	MEDDLING_REMOVED,
};

/*
 * Somebody wanted it to end, or gone, at the same time, and that is why it could not be started:
 * then `failure` says so.
 */
static enum meddling explain(struct monitor *monitor, struct err *failure)
{
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	const char *name = monitor->record.name;
	struct err err = ERR_INIT;
	int rc = container_read(&monitor->store, monitor->record.id, &now, &err);

	if (rc < 0 ? err.kind == ERR_NOT_FOUND : now.state == CONTAINER_REMOVING) {
		err_set(failure, ERR_STATE, ECANCELED, "%s was removed while it was started", name);
		return MEDDLING_REMOVED;
	}
	/* Of an earlier life nothing counts. */
	if (rc < 0 || !now.ended_by || now.pid == 0 || now.pid != monitor->record.pid)
		return MEDDLING_NONE;
	err_set(failure, ERR_STATE, ECANCELED, "%s was stopped while it was started", name);
	return lifecycle_is_restarted(&now) ? MEDDLING_RESTARTED : MEDDLING_STOPPED;
}

void monitor_undo_start(struct monitor *monitor)
{
	struct err err = ERR_INIT;

	/* Killed by nobody else: it waits at the gate, and gives up when we close our end. */
	if (monitor->process.pidfd >= 0)
		(void)engine_kill(&monitor->process, SIGKILL, &err);
	if (monitor->spec.cgroups_path)
		(void)engine_cleanup(&monitor->spec, &err);
}

/* Whether there is a row, or one could be written, for the end of what was made for this start. */
static bool has_row(struct monitor *monitor)
{
	struct err err = ERR_INIT;

	/* With --rm, too: the failure may be that of a wrong guess. */
	if (monitor->row == ROW_DUE && monitor_write_row(monitor, false, &err) < 0 &&
	    !monitor->wrong_guess)
		log_warn("%.12s: %s", monitor->record.id, err.text);
	if (monitor->row == ROW_THERE)
		return true;
	lifecycle_discard(&monitor->store, monitor->record.id);
	monitor_unclaim(monitor);
	return false;
}

void monitor_record_failure(struct monitor *monitor, struct err *failure, int exit_code)
{
	struct container_record *record = &monitor->record;
	enum meddling meddling;
	struct err err = ERR_INIT;
	int rc;

	monitor_undo_start(monitor);
	if (!has_row(monitor))
		return;
	meddling = explain(monitor, failure);
	if (meddling == MEDDLING_REMOVED)
		return;
	record->exit_code = exit_code;
	record->finished_ns = clock_now_ns();
	record->error = strdup(failure->text);
	monitor_unclaim(monitor);
	rc = record->auto_remove && meddling != MEDDLING_RESTARTED ?
		     lifecycle_erase(&monitor->store, record, &err) :
		     container_set_exited(&monitor->store, record, &err);
	/* Gone, or started by somebody who was faster: then there is nothing to say about it. */
	if (rc < 0 && err.kind != ERR_NOT_FOUND && err.kind != ERR_STATE)
		log_warn("%s: %s", record->name, err.text);
}

void monitor_refuse_start(struct monitor *monitor, struct err *failure)
{
	if (monitor->row != ROW_DUE) {
		(void)explain(monitor, failure);
		return;
	}
	/* There is nothing of it yet but its directory. */
	monitor->row = ROW_REFUSED;
	(void)has_row(monitor);
}
