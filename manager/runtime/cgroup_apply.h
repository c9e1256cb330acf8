/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_APPLY_H
#define CMAN_MANAGER_RUNTIME_CGROUP_APPLY_H

/* Limits into the hierarchy that has their controller: cgroup2 where it offers it, else v1. */

#include "manager/runtime/cgroup_host.h"
#include "manager/runtime/cgroup_limits.h"
#include "store/base/err.h"

/* Names of the v1 controllers of which cman makes groups; ended by NULL. */
extern const char *const cgroup_v1_controllers[];

/* The group at `path` with the v1 `controller`, made if it is missing; *dir is opened. */
int cgroup_make_v1(const struct cgroup_host *host, const char *controller, const char *path,
		   int *dir, struct err *err);

/*
 * Set what `resources` has of this controller's limits for the group at `path`, whose cgroup2
 * directory is v2_fd (-1: none). *v1_dir is opened on the v1 group if it went there: processes
 * have to be moved into it. The message begins with the limit's name.
 */
int cgroup_apply(const struct cgroup_host *host, int v2_fd, const char *path,
		 enum cgroup_controller controller, const struct spec_resources *resources,
		 int *v1_dir, struct err *err);

#endif
