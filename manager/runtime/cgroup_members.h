/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_MEMBERS_H
#define CMAN_MANAGER_RUNTIME_CGROUP_MEMBERS_H

/* The processes of a group and of those below it, v1 or v2. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "store/base/err.h"

struct cgroup_members {
	pid_t *pids; /* sorted, when they were read */
	size_t count, cap;
};

#define CGROUP_MEMBERS_INIT \
	{                   \
		0           \
	}
#define AUTO_CGROUP_MEMBERS __attribute__((cleanup(cgroup_members_release)))
void cgroup_members_release(struct cgroup_members *members);

/* As they are at the moment; a group that goes away meanwhile has none. */
int cgroup_members_read(int dir_fd, struct cgroup_members *out, struct err *err);

/* One more, at the end. 0 or -ENOMEM. */
int cgroup_members_add(struct cgroup_members *members, pid_t pid);

/*
 * Move all processes of the group from_dir into to_dir, of another hierarchy, and those that they
 * fork meanwhile, until there is none that is not in to_dir or below it.
 */
int cgroup_members_move(int from_dir, int to_dir, struct err *err);

#endif
