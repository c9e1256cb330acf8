/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_REAP_H
#define CMAN_MANAGER_RUNTIME_REAP_H

/* The end of a child, by its pidfd (waitid(2) with P_PIDFD). */

#include <stdbool.h>

#include "store/base/err.h"

/*
 * Wait for the child's end; *wait_status as waitpid(2) encodes it. ERR_STATE when it is not a
 * child of ours. One that has ended while a process of the container traces it (ptrace(2)) cannot
 * be reaped before that one does so, or ends: its status is taken, and it is left behind.
 */
int reap_wait(int pidfd, int *wait_status, struct err *err);

/* Whether the process is a child of ours, ended or not, that is not reaped yet. */
bool reap_is_child(int pidfd);

/*
 * Kill and wait, for 10 s at most, as a tracer can hold it even at its end (PTRACE_EVENT_EXIT). -1
 * is no child.
 */
void reap_killed(int pidfd);

/*
 * A child fell silent when it should have spoken: wait for it, and make an error of how it ended.
 */
int reap_explain(int pidfd, const char *who, struct err *err);

#endif
