/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/lifecycle_await.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "manager/lifecycle.h"
#include "manager/lifecycle_process.h"
#include "store/base/cleanup.h"
#include "store/store.h"
#include "store/watch.h"

#define LOOK_MS 1000

int await_condition_from_name(const char *name, enum await_condition *out)
{
	static const struct {
		const char *name;
		enum await_condition condition;
	} names[] = {
		{ "not-running", AWAIT_NOT_RUNNING }, { "next-exit", AWAIT_NEXT_EXIT },
		{ "removed", AWAIT_REMOVED },	      { "created", AWAIT_CREATED },
		{ "configured", AWAIT_CREATED },      { "initialized", AWAIT_CREATED },
		{ "running", AWAIT_RUNNING },	      { "paused", AWAIT_PAUSED },
		{ "exited", AWAIT_EXITED },	      { "stopped", AWAIT_EXITED },
		{ "removing", AWAIT_REMOVING },	      { "healthy", AWAIT_HEALTHY },
		{ "unhealthy", AWAIT_UNHEALTHY },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0) {
			*out = names[i].condition;
			return 0;
		}
	return -EINVAL;
}

static unsigned state_bits(const struct container_record *now)
{
	switch (now->state) {
	case CONTAINER_CREATED:
		return AWAIT_CREATED | AWAIT_NOT_RUNNING;
	case CONTAINER_RUNNING:
		return AWAIT_RUNNING;
	case CONTAINER_PAUSED:
		return AWAIT_PAUSED;
	case CONTAINER_RESTARTING:
		return 0;
	case CONTAINER_EXITED:
		return AWAIT_EXITED | AWAIT_NOT_RUNNING;
	case CONTAINER_REMOVING:
		return AWAIT_REMOVING | AWAIT_NOT_RUNNING;
	}
	return 0;
}

/* What holds; `before` is the record when the wait began. */
static unsigned holds(const struct container_record *before, const struct container_record *now)
{
	unsigned bits = state_bits(now);

	if (lifecycle_runs(now->state) && now->health == HEALTH_HEALTHY)
		bits |= AWAIT_HEALTHY;
	if (lifecycle_runs(now->state) && now->health == HEALTH_UNHEALTHY)
		bits |= AWAIT_UNHEALTHY;
	/* It ended since, or even runs again already. */
	if ((now->finished_ns != 0 && now->finished_ns != before->finished_ns) ||
	    (before->started_ns != 0 && lifecycle_runs(before->state) &&
	     now->started_ns != before->started_ns))
		bits |= AWAIT_NEXT_EXIT;
	return bits;
}

static int sleep_until_change(struct watch *watch, struct err *err)
{
	struct pollfd poll = { .fd = watch->fd, .events = POLLIN };

	if (lifecycle_wait_readable(&poll, 1, watch_timeout(watch, LOOK_MS), err) < 0)
		return err_code(err);
	watch_woken(watch);
	return 0;
}

/*
 * While it is held, the row is not removed before we have read how it ended. It is let go once we
 * have, and the end was not what is waited for.
 */
static int hold_while_it_runs(struct store *store, const struct container_record *record,
			      int *lock_fd, struct err *err)
{
	int r = 0;

	if (state_bits(record) & AWAIT_NOT_RUNNING) {
		cleanup_close(lock_fd);
		*lock_fd = -1;
	} else if (*lock_fd < 0) {
		r = container_dir_open(store, record->id, lock_fd, err);
		if (r == -ENOENT) { /* it is being removed: its row will tell */
			*err = (struct err)ERR_INIT;
			return 0;
		}
		while (r == 0 && flock(*lock_fd, LOCK_SH) < 0)
			if (errno != EINTR)
				return err_sys(err, errno, "cannot wait for %s", record->name);
	}
	return r;
}

int lifecycle_await(struct store *store, struct container_record *record, unsigned conditions,
		    struct err *err)
{
	AUTO_WATCH struct watch watch = WATCH_INIT;
	AUTO_CLOSE int lock = -1;
	struct container_record before = {
		.state = record->state,
		.started_ns = record->started_ns,
		.finished_ns = record->finished_ns,
	};
	int r = 0;

	/* Where that cannot be had it takes longer. */
	(void)watch_add(&watch, store->root_fd);
	while (r == 0) {
		/* Whoever waits for it to be gone may not be in the way. */
		if (!(conditions & AWAIT_REMOVED))
			r = hold_while_it_runs(store, record, &lock, err);
		if (r < 0)
			break;
		r = lifecycle_reread(store, record, err);
		if (r == 0)
			r = lifecycle_refresh(store, record, err);
		if (r == 0 && (holds(&before, record) & conditions))
			return 0;
		if (r == 0)
			r = sleep_until_change(&watch, err);
	}
	if (err->kind != ERR_NOT_FOUND || !(conditions & AWAIT_REMOVED))
		return r;
	*err = (struct err)ERR_INIT;
	return 0;
}
