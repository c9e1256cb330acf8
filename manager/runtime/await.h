/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_AWAIT_H
#define CMAN_MANAGER_RUNTIME_AWAIT_H

/* The parent's side of the handshake: what it waits for from a child. */

#include <stdbool.h>
#include <stdint.h>

#include "manager/runtime/engine.h"
#include "store/base/err.h"

/*
 * Until the child of `process` (pidfd and sync_fd are set) says READY: fills its console
 * descriptors and its program. `terminal`: the master that comes is the payload's terminal, else
 * the end-of-file one. A child that failed, or ended, is an error; `who` names it.
 */
int await_ready(struct engine_process *process, bool terminal, const char *who, struct err *err);

/* Until the child, having been READY, has executed its program: its end of the handshake closes. */
int await_exec(const struct engine_process *process, struct err *err);

/*
 * The same of one that others see, who may have taken a copy of its end of the pipe behind
 * `told_fd` and keep it open: so the process itself is looked at, too, now and then, by the host's
 * proc file system. 0 when it has executed its program, or is gone; 1 when there is something to
 * read, or the end of file, or it has ended. ERR_STATE (ETIMEDOUT) after ENGINE_SETUP_MS in which
 * it has not even been seen to wait for a disk.
 */
int await_exec_seen(const struct engine_process *process, int proc_fd, int told_fd,
		    struct err *err);
/* The same, after so many milliseconds. */
int await_exec_within(const struct engine_process *process, int proc_fd, int told_fd,
		      int64_t patience_ms, struct err *err);

#endif
