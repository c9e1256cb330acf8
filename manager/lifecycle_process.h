/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_LIFECYCLE_PROCESS_H
#define CMAN_MANAGER_LIFECYCLE_PROCESS_H

/* What the parts of the lifecycle share about the process behind a record (lifecycle_refresh.c). */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "manager/runtime/engine.h"
#include "store/base/err.h"
#include "store/containers.h"

struct store;

/* Whether a container in this state has a process. */
bool lifecycle_runs(enum container_state state);

/* Wait until a descriptor polls readable: 1, or 0 after `ms` milliseconds (-1: never). */
int lifecycle_wait_readable(struct pollfd *fds, nfds_t n, int64_t ms, struct err *err);

/* Read the row again. A row that is gone leaves *record as it was: ERR_NOT_FOUND. */
int lifecycle_reread(struct store *store, struct container_record *record, struct err *err);

/* 1 with an open *process (to be released) when that process runs, 0 when it has ended. */
int lifecycle_open_process(pid_t pid, uint64_t start_time, struct engine_process *process,
			   struct err *err);

/*
 * The process has ended: wait until its monitor has recorded that, and do it ourselves when the
 * monitor is gone. ERR_NOT_FOUND when the row was removed, as with --rm.
 */
int lifecycle_await_record(struct store *store, struct container_record *record, struct err *err);

/*
 * The row was removed, by its monitor or by somebody else, while it was looked at: that is no
 * error. Clears *err, sets the record's state, returns 0.
 */
int lifecycle_gone(struct container_record *record, struct err *err);

/* Kill what is left in the container's cgroups, and remove them. */
int lifecycle_destroy_cgroup(struct store *store, const char *id, struct err *err);

#endif
