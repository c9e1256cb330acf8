/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_self.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "manager/runtime/cgroup_host.h"
#include "manager/runtime/cgroup_tree.h"
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
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	line = line ? strstr(line, "0::") + 3 : "";
	return strncmp(line, path, path_len) == 0 && line[path_len] == '\n';
}

int cgroup_move_self(const char *path, struct err *err)
{
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	AUTO_CLOSE int dir = -1;
	int r = cgroup_host_find(&host, err);

	if (r < 0 || host.v2_root < 0 || is_in("/") || is_in(path))
		return r;
	if (cgroup_tree_make(host.v2_root, path, &dir, err) < 0)
		return err_code(err);
	r = cgroup_tree_write(dir, "cgroup.procs", "0");
	return r < 0 ? err_sys(err, -r, "cannot move to cgroup %s", path) : 0;
}
