/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_apply.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "manager/runtime/cgroup_tree.h"
#include "store/base/cleanup.h"

const char *const cgroup_v1_controllers[] = { "memory", "cpu",	   "cpuset", "pids",
					      "blkio",	"devices", NULL };

/* Whether cgroup2's root offers `controller` at all; on a hybrid host it may belong to v1. */
static bool v2_offers(int root_fd, const char *controller)
{
	char text[1024], *rest = text, *word;

	if (cgroup_tree_read(root_fd, "cgroup.controllers", text, sizeof(text)) < 0)
		return false;
	while ((word = strsep(&rest, " ")))
		if (strcmp(word, controller) == 0)
			return true;
	return false;
}

/* Let `controller` reach the group at `path`: "+memory" in every group above it. */
static int enable_v2(int root_fd, const char *path, const char *controller, struct err *err)
{
	char prefix[PATH_MAX], file[PATH_MAX + 32], word[32];

	snprintf(word, sizeof(word), "+%s", controller);
	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		int r;

		snprintf(prefix, sizeof(prefix), ".%.*s", (int)(slash - path), path);
		snprintf(file, sizeof(file), "%s/cgroup.subtree_control", prefix);
		r = cgroup_tree_write(root_fd, file, word);
		if (r == 0)
			continue;
		err_sys(err, -r, "cannot enable the %s controller in cgroup %s", controller,
			prefix[1] ? prefix + 1 : "/");
		if (r == -EBUSY)
			return err_hint(
				err, "a cgroup with processes of its own cannot hand controllers "
				     "on: move them into a cgroup below it");
		return r;
	}
	return 0;
}

int cgroup_make_v1(const struct cgroup_host *host, const char *controller, const char *path,
		   int *dir, struct err *err)
{
	AUTO_CLOSE int root = cgroup_host_v1(host, controller);
	int r;

	if (root == -ENOENT)
		return err_set(err, ERR_UNSUPPORTED, ENOENT, "this host has no %s controller",
			       controller);
	if (root < 0)
		return err_sys(err, -root, "cannot look for the %s controller", controller);
	r = cgroup_tree_make(root, path, dir, err);
	return r < 0 ? err_wrap(err, "%s controller", controller) : 0;
}

int cgroup_apply(const struct cgroup_host *host, int v2_fd, const char *path,
		 enum cgroup_controller controller, const struct spec_resources *resources,
		 int *v1_dir, struct err *err)
{
	const char *v2_name = cgroup_controller_name(controller, true);
	const char *limit = "limit";
	AUTO_CLOSE int dir = -1;
	int r;

	(void)cgroup_limit_wanted(resources, controller, &limit);
	if (v2_fd >= 0 && v2_offers(host->v2_root, v2_name)) {
		r = enable_v2(host->v2_root, path, v2_name, err);
		return r < 0 ? err_wrap(err, "%s", limit) :
			       cgroup_limits_write_v2(v2_fd, controller, resources, err);
	}
	r = cgroup_make_v1(host, cgroup_controller_name(controller, false), path, &dir, err);
	if (r < 0)
		return err_wrap(err, "%s", limit);
	r = cgroup_limits_write_v1(dir, controller, resources, err);
	if (r == 0)
		*v1_dir = STEAL_FD(dir);
	return r;
}
