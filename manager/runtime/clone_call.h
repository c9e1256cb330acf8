/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CLONE_CALL_H
#define CMAN_MANAGER_RUNTIME_CLONE_CALL_H

/*
 * A child in our memory by clone3(2), which alone can put it into a control group at its birth
 * (CLONE_INTO_CGROUP) and has no function in a C library. It spares two copies of the page tables,
 * and what both sides would have to say to each other.
 */

#include <linux/sched.h>
#include <sys/types.h>

/*
 * Call function(context) in a child with the flags, cgroup, pidfd and exit signal of *args, in our
 * memory and on a stack of its own, while this thread, the only one, is stopped (CLONE_VM,
 * CLONE_VFORK): until it has ended, with the function's result as its status, by _exit(2) or by a
 * signal. The caller blocks signals meanwhile. Returns the process ID, or -errno.
 */
pid_t clone_call(const struct clone_args *args, int (*function)(void *context), void *context);

#endif
