/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_SELF_H
#define CMAN_MANAGER_RUNTIME_CGROUP_SELF_H

/* The cgroup2 group that this process itself is in. */

#include "store/base/err.h"

/*
 * Move to the group `path`, which is made if need be, unless this process is in the root or there
 * already. Takes a grace period of RCU: for who has nothing to wait for. 0 also where there is no
 * cgroup2 hierarchy.
 */
int cgroup_move_self(const char *path, struct err *err);

#endif
