/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_H
#define CMAN_MANAGER_RUNTIME_CGROUP_H

/*
 * Control groups, v1, v2 and hybrid (cgroups(7)). Every container is born into its cgroup2 group
 * with CLONE_INTO_CGROUP, which waits for no RCU grace period; v1 controllers are joined only for a
 * limit that was asked for. `path` is absolute below the hierarchies' roots, such as "/cman/<id>";
 * the groups above the last one are made, and stay when that one goes.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "manager/runtime/cgroup_host.h"
#include "manager/runtime/spec.h"
#include "store/base/err.h"

#define CGROUP_V1_MAX 8

struct cgroup {
	int v2_fd; /* directory on the cgroup2 hierarchy; -1 where it cannot be had */
	/* cgroup.procs of the v1 groups that have a limit, open for writing; -1 ends */
	int v1_fds[CGROUP_V1_MAX];
	struct cgroup_host host; /* only of one that was opened */
	bool devices_open;	 /* device rules were given, and nothing here can enforce them */
};

#define CGROUP_INIT                                                        \
	{                                                                  \
		.v2_fd = -1, .v1_fds = { -1, -1, -1, -1, -1, -1, -1, -1 }, \
		.host = CGROUP_HOST_INIT                                   \
	}
void cgroup_release(struct cgroup *cgroup); /* closes descriptors, removes nothing */

/*
 * Make the groups at `path` and set the limits of `resources`, devices included (v1 devices
 * controller or BPF_PROG_TYPE_CGROUP_DEVICE). No write access to any hierarchy: one warning
 * (log_warn) and a cgroup without groups, unless a limit was asked for: then an error that names
 * the limit. Where the device rules cannot be enforced, `devices_open` is set: the caller has to
 * keep the container from making device nodes; with rules that were asked for it is an error. On
 * failure nothing is left.
 */
int cgroup_create(const char *path, const struct spec_resources *resources, struct cgroup *out,
		  struct err *err);
/*
 * The existing cgroup2 group at `path`, for a process that joins; v2_fd stays -1 where there is
 * none. The v1 groups are looked for when the process is in the cgroup2 group already: one that
 * cgroup_update() makes meanwhile is either found here, or finds the process there.
 */
int cgroup_open(const char *path, struct cgroup *out, struct err *err);
int cgroup_open_v1(struct cgroup *cgroup, const char *path, struct err *err);
/*
 * Whether the number of processes is limited in the cgroup2 group at `path`, opened as `v2_fd`, or
 * around it. True, too, where that cannot be read.
 */
bool cgroup_limits_processes(int v2_fd, const char *path);
/* Write `pid` into the v1 groups (the cgroup2 one was joined by clone3). */
int cgroup_attach(const struct cgroup *cgroup, pid_t pid, struct err *err);
/*
 * Change the limits of a group that has processes from `before` to `after`, device rules excepted.
 * A v1 group that it does not have yet is made, and all its processes are moved into it: what they
 * used until then is not counted there; *uncounted: that is so of memory. On failure those of
 * `before` are set again, as far as that goes.
 */
int cgroup_update(const char *path, const struct spec_resources *before,
		  const struct spec_resources *after, bool *uncounted, struct err *err);
/*
 * Kill what is left in it (cgroup.kill, or SIGKILL in a loop on v1), wait until it is empty
 * (bounded, 10 s), remove. Missing is success.
 */
int cgroup_destroy(const char *path, struct err *err);
/*
 * Whether the kernel killed something in it for lack of memory (memory.events /
 * memory.oom_control).
 */
bool cgroup_oom_killed(const char *path);

#endif
