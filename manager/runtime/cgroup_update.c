/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "manager/runtime/cgroup.h"
#include "manager/runtime/cgroup_apply.h"
#include "manager/runtime/cgroup_limits.h"
#include "manager/runtime/cgroup_members.h"
#include "manager/runtime/cgroup_tree.h"
#include "store/base/cleanup.h"

/* Where the container's processes are found: its cgroup2 group, or any of its v1 groups. */
static int open_source(const struct cgroup_host *host, const char *path, int v2_fd, struct err *err)
{
	int dir = v2_fd < 0 ? -ENOENT : fcntl(v2_fd, F_DUPFD_CLOEXEC, 0);

	if (v2_fd >= 0 && dir < 0)
		dir = -errno;
	for (size_t i = 0; dir == -ENOENT && cgroup_v1_controllers[i]; i++) {
		AUTO_CLOSE int root = cgroup_host_v1(host, cgroup_v1_controllers[i]);

		dir = root < 0 ? root : cgroup_tree_open(root, path);
	}
	if (dir >= 0)
		return dir;
	if (dir != -ENOENT)
		return err_sys(err, -dir, "cannot look for the cgroup it runs in");
	err_set(err, ERR_UNSUPPORTED, ENOENT, "it runs in no cgroup that could be limited");
	return err_hint(err, "limits that are given when it is started have one made for them");
}

/* Limits first: the group is empty then, and all of them can be set. */
static int apply_one(const struct cgroup *cgroup, const char *path, int source,
		     enum cgroup_controller controller, const struct spec_resources *change,
		     struct err *err)
{
	AUTO_CLOSE int dir = -1;
	const char *limit;
	int r;

	if (!cgroup_limit_wanted(change, controller, &limit))
		return 0;
	r = cgroup_apply(&cgroup->host, cgroup->v2_fd, path, controller, change, &dir, err);
	if (r < 0 || dir < 0)
		return r;
	r = cgroup_members_move(source, dir, err);
	return r < 0 ? err_wrap(err, "%s", limit) : 0;
}

static bool has_v1_memory(const struct cgroup_host *host, const char *path)
{
	AUTO_CLOSE int root = cgroup_host_v1(host, "memory");
	AUTO_CLOSE int dir = root >= 0 ? cgroup_tree_open(root, path) : -1;

	return dir >= 0;
}

int cgroup_update(const char *path, const struct spec_resources *before,
		  const struct spec_resources *after, bool *uncounted, struct err *err)
{
	struct cgroup cgroup = CGROUP_INIT;
	struct spec_resources change, back;
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int source = -1;
	int done = 0;
	bool counted;
	int r = cgroup_open(path, &cgroup, err);

	if (r < 0)
		return r;
	counted = has_v1_memory(&cgroup.host, path);
	cgroup_limits_change(before, after, &change);
	source = open_source(&cgroup.host, path, cgroup.v2_fd, err);
	r = source < 0 ? source : 0;
	while (r == 0 && done < CGROUP_NCONTROLLERS)
		r = apply_one(&cgroup, path, source, (enum cgroup_controller)done++, &change, err);
	if (r < 0 && source >= 0) {
		cgroup_limits_change(after, before, &back);
		while (done-- > 0)
			(void)apply_one(&cgroup, path, source, (enum cgroup_controller)done, &back,
					&ignored);
	}
	if (r == 0)
		*uncounted = !counted && has_v1_memory(&cgroup.host, path);
	cgroup_release(&cgroup);
	return r;
}
