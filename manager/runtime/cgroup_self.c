/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_self.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "manager/runtime/cgroup_apply.h"
#include "manager/runtime/cgroup_host.h"
#include "manager/runtime/cgroup_tree.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define MAX_MEMBERSHIP 65536 /* bytes of /proc/self/cgroup */

/* Whether its line of /proc/self/cgroup says so (cgroups(7)); unknown is no. */
static bool is_in(const char *path)
{
	AUTO_FREE char *text = NULL;
	struct err ignored = ERR_INIT;
	size_t len, path_len = strlen(path);
	const char *line;

	if (fd_read_file(AT_FDCWD, "/proc/self/cgroup", MAX_MEMBERSHIP, &text, &len, &ignored) < 0)
		return false;
	line = begins_with(text, "0::") ? text : strstr(text, "\n0::");
	line = line ? strstr(line, "0::") + 3 : "";
	return strncmp(line, path, path_len) == 0 && line[path_len] == '\n';
}

static int enter(int root_fd, const char *path, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	int r = cgroup_tree_make(root_fd, path, &dir, err);

	if (r < 0)
		return r;
	r = cgroup_tree_write(dir, "cgroup.procs", "0");
	return r < 0 ? err_sys(err, -r, "cannot move to cgroup %s", path) : 0;
}

int cgroup_move_self(const char *path, struct err *err)
{
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	int r = cgroup_host_find(&host, err);

	if (r < 0 || host.v2_root < 0 || is_in("/") || is_in(path))
		return r;
	r = enter(host.v2_root, path, err);
	for (int tries = 1; cgroup_tree_is_gone(r) && tries < CGROUP_TREE_TRIES; tries++) {
		*err = (struct err)ERR_INIT;
		r = enter(host.v2_root, path, err);
	}
	return r;
}

static int remove_empty(const struct cgroup_host *host, const char *path, struct err *err)
{
	int r = cgroup_tree_remove_empty(host->v2_root, path);

	for (size_t i = 0; cgroup_v1_controllers[i] && r == 0; i++) {
		AUTO_CLOSE int root = cgroup_host_v1_with(host, cgroup_v1_controllers[i], path);

		if (root != -ENOENT)
			r = root < 0 ? root : cgroup_tree_remove_empty(root, path);
	}
	return r < 0 ? err_sys(err, -r, "cannot remove cgroup %s", path) : 0;
}

int cgroup_leave_self(const char *path, const char *also, struct err *err)
{
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	int r = cgroup_host_find(&host, err);

	if (r < 0 || host.v2_root < 0)
		return r;
	if (is_in("/"))
		return remove_empty(&host, also, err);
	if (!is_in(path))
		return 0;
	r = cgroup_tree_write(host.v2_root, "cgroup.procs", "0");
	if (r < 0)
		return err_sys(err, -r, "cannot leave cgroup %s", path);
	r = cgroup_tree_remove_empty(host.v2_root, path);
	if (r < 0)
		return err_sys(err, -r, "cannot remove cgroup %s", path);
	return remove_empty(&host, also, err);
}
