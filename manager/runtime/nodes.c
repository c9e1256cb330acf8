/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

int node_find_null(int root_fd, int *out, struct err *err)
{
	AUTO_CLOSE int fd = fd_open_in_root(root_fd, "/dev/null", O_PATH, 0);
	struct stat status;

	if (fd < 0) {
		err_sys(err, -fd, "cannot open /dev/null in the container");
		return err_hint(err, "whatever is mounted on /dev has to have it");
	}
	if (fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
		return err_set(err, ERR_INVALID, ENODEV,
			       "/dev/null in the container is not the null device");
	*out = STEAL_FD(fd);
	return 0;
}

int node_open(int root_fd, int proc_fd, int node, int flags)
{
	AUTO_CLOSE int own = proc_fd >= 0 ? fd_open_in_root(proc_fd, "/self/fd", O_PATH, 0) :
					    fd_open_in_root(root_fd, "/proc/self/fd", O_PATH, 0);
	struct statfs fs;
	char name[16];
	int fd;

	if (own < 0)
		return own;
	if (fstatfs(own, &fs) < 0)
		return -errno;
	/* elsewhere a link of that number leads where somebody else wants it to */
	if (fs.f_type != PROC_SUPER_MAGIC)
		return -ENOTSUP;
	snprintf(name, sizeof(name), "%d", node);
	fd = openat(own, name, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
