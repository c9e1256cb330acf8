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

/*
 * Move to the root, if this process is in the group `path`, and remove that if it was the last
 * there; and `also` on every hierarchy, if that is empty. Who is in the root already removes `also`
 * alone; who is anywhere else, nothing. Who is about to enter one of them makes it again.
 */
int cgroup_leave_self(const char *path, const char *also, struct err *err);

#endif
