/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_HOST_H
#define CMAN_MANAGER_RUNTIME_CGROUP_HOST_H

/*
 * Where this host has its control group hierarchies (cgroups(7)). The places that systemd, OpenRC
 * and cgroupfs-mount use are asked, with one fstatfs(2) each; /proc/self/mountinfo is read only
 * where nothing at all is mounted on /sys/fs/cgroup.
 */

#include <stdbool.h>

#include "store/base/err.h"

struct cgroup_host {
	int v2_root;  /* O_PATH; -1 where there is no cgroup2 hierarchy */
	int v1_dir;   /* O_PATH, the directory with a v1 hierarchy per controller; -1 without */
	bool unusual; /* nothing is mounted at the usual place */
};

#define CGROUP_HOST_INIT                    \
	{                                   \
		.v2_root = -1, .v1_dir = -1 \
	}
#define AUTO_CGROUP_HOST __attribute__((cleanup(cgroup_host_release)))

/* Fails where it cannot be told, and takes nothing for absent that it could not look at. */
int cgroup_host_find(struct cgroup_host *out, struct err *err);
void cgroup_host_release(struct cgroup_host *host);

/*
 * The root of the v1 hierarchy with `controller`, an O_PATH descriptor to be closed; -ENOENT where
 * there is none, or another -errno.
 */
int cgroup_host_v1(const struct cgroup_host *host, const char *controller);

/*
 * The same, for who looks for the group `path` there: -ENOENT also where that is certainly missing,
 * for the price of one system call.
 */
int cgroup_host_v1_with(const struct cgroup_host *host, const char *controller, const char *path);

#endif
