/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_LIMITS_H
#define CMAN_MANAGER_RUNTIME_CGROUP_LIMITS_H

/*
 * The limits of spec_resources as the files of the controllers have them (cgroups(7), kernel:
 * cgroup-v2.rst, cgroup-v1/).
 */

#include <stdbool.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

enum cgroup_controller {
	CGROUP_MEMORY,
	CGROUP_CPU,
	CGROUP_CPUSET,
	CGROUP_PIDS,
	CGROUP_BLOCK,
	CGROUP_NCONTROLLERS,
};

/* "blkio" on v1 is "io" on v2; the others are called the same. */
const char *cgroup_controller_name(enum cgroup_controller controller, bool v2);

/*
 * Whether a limit of this controller was asked for; *limit is what a person calls it, such as
 * "memory limit".
 */
bool cgroup_limit_wanted(const struct spec_resources *resources, enum cgroup_controller controller,
			 const char **limit);

/*
 * What has to be written to a group that has the limits `before` so that it has those of `after`:
 * *out holds all limits of the controllers where they differ, and none (negative, or the kernel's
 * default) where a limit was taken away. Its strings and arrays are borrowed from both; device
 * rules are left out.
 */
void cgroup_limits_change(const struct spec_resources *before, const struct spec_resources *after,
			  struct spec_resources *out);

/*
 * The weight of cgroup2 (1 to 10000, default 100) in the same proportion as v1's shares (default
 * 1024).
 */
unsigned cgroup_weight_from_shares(unsigned long long shares);
/* The weight of cgroup2's io.weight for one of 10 to 1000; the ends meet. */
unsigned cgroup_weight_from_block_weight(unsigned long long weight);

/*
 * Set this controller's limits in the group dir_fd. The message begins with the limit's name.
 * ERR_UNSUPPORTED for one that this kernel, or this version of cgroups, does not have.
 */
int cgroup_limits_write_v2(int dir_fd, enum cgroup_controller controller,
			   const struct spec_resources *resources, struct err *err);
int cgroup_limits_write_v1(int dir_fd, enum cgroup_controller controller,
			   const struct spec_resources *resources, struct err *err);

#endif
