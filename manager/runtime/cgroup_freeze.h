/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_FREEZE_H
#define CMAN_MANAGER_RUNTIME_CGROUP_FREEZE_H

/*
 * Stopping all that is in a cgroup2 group where it stands, and letting it go on (cgroup-v2.rst,
 * "cgroup.freeze"). It needs no controller, so hybrid hosts have it as well. `dir` is opened on the
 * group.
 */

#include <stdbool.h>

#include "store/base/err.h"

/* Whether somebody has asked for it to be frozen. */
int cgroup_is_frozen(int dir, bool *out, struct err *err);

/*
 * Ask for it, and wait until it is so: at most 10 s (then ERR_SYS with ETIMEDOUT), or until
 * `stop_fd` can be read or hangs up (ECANCELED). On failure it may become so later: thaw it.
 */
int cgroup_freeze(int dir, int stop_fd, struct err *err);

/* Let it go on. A group that is gone is no failure. */
int cgroup_thaw(int dir, struct err *err);

#endif
