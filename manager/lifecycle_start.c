/* SPDX-License-Identifier: Apache-2.0 */
/* A container that is there already: it is started, and started again. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "manager/lifecycle.h"
#include "manager/lifecycle_process.h"
#include "manager/monitor/monitor.h"

/* While somebody else starts or ends it, which takes milliseconds, and a log to write out more. */
#define ATTEMPTS 500
#define PAUSE_NS 20000000L

bool lifecycle_is_restarted(const struct container_record *record)
{
	return record->ended_by && strcmp(record->ended_by, "restart") == 0;
}

/* 1: it is to be started, 0: nothing is to be done. */
static int check_state(const struct container_record *record, struct err *err)
{
	switch (record->state) {
	case CONTAINER_CREATED:
	case CONTAINER_EXITED:
		return 1;
	case CONTAINER_RUNNING:
		return 0;
	case CONTAINER_RESTARTING: /* again, since its waiting was cancelled */
		return 1;
	case CONTAINER_PAUSED:
		err_set(err, ERR_STATE, EBUSY, "%s is paused", record->name);
		return err_hint(err, "let it go on: cman unpause %s", record->name);
	case CONTAINER_REMOVING:
		break;
	}
	return err_set(err, ERR_STATE, EBUSY, "%s is being removed", record->name);
}

static bool is_in_other_hands(const struct err *err)
{
	return err->kind == ERR_STATE && err->num == EBUSY;
}

/* It was stopped as it began, by somebody who is about to start it again: all want it to run. */
static bool is_restarted_by_others(struct store *store, struct container_record *record,
				   const struct err *err)
{
	struct err ignored = ERR_INIT;

	return err->kind == ERR_STATE && err->num == ECANCELED &&
	       lifecycle_reread(store, record, &ignored) == 0 && lifecycle_is_restarted(record);
}

/* What it has become meanwhile. */
static int look_again(struct store *store, struct container_record *record, struct err *err)
{
	int rc = lifecycle_reread(store, record, err);

	if (rc < 0 && err->kind == ERR_NOT_FOUND)
		return err_set(err, ERR_STATE, ECANCELED, "%s was removed while it was started",
			       record->name);
	return rc < 0 ? rc : lifecycle_refresh(store, record, err);
}

int lifecycle_start_by(struct store *store, struct container_record *record,
		       lifecycle_starter *starter, void *data, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (int attempt = 1;; attempt++) {
		int rc = 0;

		if (record->state == CONTAINER_RESTARTING)
			rc = lifecycle_cancel_restart(store, record, "start", err);
		if (rc >= 0)
			rc = check_state(record, err);
		if (rc <= 0)
			return rc;
		rc = starter(store, record, data, err);
		if (rc == 0)
			return 1;
		if ((!is_in_other_hands(err) && !is_restarted_by_others(store, record, err)) ||
		    attempt == ATTEMPTS)
			return rc;
		*err = (struct err)ERR_INIT;
		nanosleep(&pause, NULL);
		rc = look_again(store, record, err);
		if (rc < 0)
			return rc;
	}
}

static int spawn_starter(struct store *store, struct container_record *record, void *data,
			 struct err *err)
{
	(void)data;
	return monitor_spawn_starter(store, record, err);
}

int lifecycle_start(struct store *store, struct container_record *record, struct err *err)
{
	int rc = lifecycle_start_by(store, record, spawn_starter, NULL, err);

	if (rc <= 0)
		return rc;
	/* It may have ended by now, and with --rm it is gone then. */
	if (lifecycle_reread(store, record, err) == 0)
		return 0;
	return err->kind == ERR_NOT_FOUND ? lifecycle_gone(record, err) : err_code(err);
}

int lifecycle_restart(struct store *store, struct container_record *record,
		      const struct stop_how *how, struct err *err)
{
	int rc = lifecycle_stop(store, record, how, err);

	return rc < 0 ? rc : lifecycle_start(store, record, err);
}
