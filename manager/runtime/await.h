/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_AWAIT_H
#define CMAN_MANAGER_RUNTIME_AWAIT_H

/* The parent's side of the handshake: what it waits for from a child. */

#include <stdbool.h>

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

#endif
