/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_LIFECYCLE_AWAIT_H
#define CMAN_MANAGER_LIFECYCLE_AWAIT_H

/*
 * Waiting for what becomes of a container, other than its end (lifecycle_wait()). Who waits sleeps
 * until the database is written to (inotify(7) on its log of changes), and looks once a second for
 * what nobody writes down.
 */

#include "store/base/err.h"
#include "store/containers.h"

struct store;

enum await_condition { /* bits; any of them ends the wait */
		       AWAIT_NOT_RUNNING = 1 << 0,
		       AWAIT_NEXT_EXIT = 1 << 1,
		       AWAIT_REMOVED = 1 << 2,
		       AWAIT_CREATED = 1 << 3,
		       AWAIT_RUNNING = 1 << 4,
		       AWAIT_PAUSED = 1 << 5,
		       AWAIT_EXITED = 1 << 6,
		       AWAIT_REMOVING = 1 << 7,
		       AWAIT_HEALTHY = 1 << 8,
		       AWAIT_UNHEALTHY = 1 << 9,
};

/* Docker's and podman's names of them. -EINVAL for one that is none, without an error. */
int await_condition_from_name(const char *name, enum await_condition *out);

/*
 * Until one of `conditions` holds for `record`, which is as it was last seen then. ERR_NOT_FOUND
 * when it is removed, unless that is waited for.
 */
int lifecycle_await(struct store *store, struct container_record *record, unsigned conditions,
		    struct err *err);

#endif
