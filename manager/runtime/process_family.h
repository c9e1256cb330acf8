/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_PROCESS_FAMILY_H
#define CMAN_MANAGER_RUNTIME_PROCESS_FAMILY_H

/* The processes of a container that has no group to tell them by, from proc(5). */

#include <stdbool.h>
#include <sys/types.h>

#include "manager/runtime/cgroup_members.h"
#include "store/base/err.h"

/*
 * Add them to `out`. Where `init` is the first process of a PID namespace, all in that namespace,
 * as far as they are in no other below it. Where it shares the namespace of others, itself and what
 * descends from it: its ctinit is a subreaper then, so that nobody gets away; but what was started
 * in it by exec is not among them. ERR_STATE when `init` has ended.
 */
int process_family_find(int proc_fd, pid_t init, struct cgroup_members *out, struct err *err);

/*
 * Add those children of the calling process to `out`, ended or not, that are in the PID namespace
 * open at `ns_fd`.
 */
int process_family_children_in(int proc_fd, int ns_fd, struct cgroup_members *out, struct err *err);

/*
 * Whether the program that `init`, a ctinit, was told to run has ended and is not reaped yet. It is
 * its oldest child, so that this can be relied on while `init` is held still. A kernel that lists
 * no children (CONFIG_PROC_CHILDREN) cannot tell: false.
 */
bool process_family_payload_waits(int proc_fd, pid_t init);

#endif
