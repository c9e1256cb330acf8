/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_LIMITS_H
#define CMAN_MANAGER_RUNTIME_CGROUP_LIMITS_H

/*
 * The limits of spec_resources as the files of the controllers have them (cgroups(7), kernel:
 * cgroup-v2.rst).
 */

#include <stdbool.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

enum cgroup_controller {
	CGROUP_MEMORY,
	CGROUP_CPU,
	CGROUP_CPUSET,
	CGROUP_PIDS,
	CGROUP_NCONTROLLERS,
};

const char *cgroup_controller_name(enum cgroup_controller controller);

/*
 * Whether a limit of this controller was asked for; *limit is what a person calls it, such as
 * "memory limit".
 */
bool cgroup_limit_wanted(const struct spec_resources *resources, enum cgroup_controller controller,
			 const char **limit);

/*
 * The weight of cgroup2 (1 to 10000, default 100) in the same proportion as v1's shares (default
 * 1024).
 */
unsigned cgroup_weight_from_shares(unsigned long long shares);

/* Set this controller's limits in the group dir_fd. */
int cgroup_limits_write_v2(int dir_fd, enum cgroup_controller controller,
			   const struct spec_resources *resources, struct err *err);
int cgroup_limits_write_v1(int dir_fd, enum cgroup_controller controller,
			   const struct spec_resources *resources, struct err *err);

#endif
