/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_LIMITS_H
#define CMAN_MANAGER_LIMITS_H

/* The limits that a user asks for, as part of a spec: when it is built, or changed later. */

#include <stdbool.h>
#include <stddef.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/* Which of the resources were asked for: others stay as the spec has them. */
enum limit {
	LIMIT_MEMORY,
	LIMIT_MEMORY_RESERVATION,
	LIMIT_MEMORY_SWAP,
	LIMIT_MEMORY_SWAPPINESS,
	LIMIT_CPUS, /* period and quota both */
	LIMIT_CPU_PERIOD,
	LIMIT_CPU_QUOTA,
	LIMIT_CPU_SHARES,
	LIMIT_CPUSET_CPUS,
	LIMIT_CPUSET_MEMS,
	LIMIT_PIDS,
	LIMIT_BLOCK_WEIGHT,
};

struct limits {
	/*
	 * Owned. What was given as 0 is a limit that is taken away; block_limits take the place of
	 * those of the same device and kind; `devices` are added to the default rules.
	 */
	struct spec_resources resources;
	unsigned given;		     /* bits 1 << enum limit */
	struct spec_rlimit *rlimits; /* owned; a later one of the same name wins */
	size_t nrlimits;
	bool has_oom_score_adj;
	int oom_score_adj;
	const char *cgroup_parent; /* from the root on, with or without "/"; NULL: cman's own */
};

void limits_release(struct limits *limits);

/* For cgroups_path: below the parent, by the container's ID. The result is to be freed. */
int limits_cgroup_path(const char *parent, const char *id, char **out, struct err *err);

/*
 * Put the limits into the spec of container `id`. ERR_INVALID for those that cannot be together,
 * with those that the spec has already. On failure the spec is half changed.
 */
int limits_apply(const struct limits *limits, const char *id, struct spec *spec, struct err *err);

#endif
