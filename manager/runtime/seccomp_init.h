/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SECCOMP_INIT_H
#define CMAN_MANAGER_RUNTIME_SECCOMP_INIT_H

/*
 * A container's system call filter holds for ctinit, too. One that denies what ctinit needs would
 * make a container that cannot start, or that nobody can end.
 */

#include "manager/runtime/seccomp.h"
#include "store/base/err.h"

/*
 * In the parent, before the start: ERR_INVALID with the first call that `filter` denies, of those
 * that ctinit cannot do without. What it only does better with is not asked for.
 */
int seccomp_init_check(const struct seccomp_filter *filter, struct err *err);

/* The same for what launches it, or the payload, into a PID namespace of others (child.h). */
int seccomp_launch_check(const struct seccomp_filter *filter, struct err *err);

#endif
