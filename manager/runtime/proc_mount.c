/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/proc_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "manager/runtime/mount_api.h"
#include "manager/runtime/mount_visit.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define PROC_ROOT_INODE 1 /* of any procfs: PROC_ROOT_INO */

/* -EINVAL: this kernel knows no such option. */
static int make(int pid_ns)
{
	AUTO_CLOSE int fs = mount_api_fsopen("proc");
	int result = fs < 0 ? fs : mount_api_fsconfig_fd(fs, "pidns", pid_ns);

	if (result == 0)
		result = mount_api_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	return result < 0 ? result : mount_api_fsmount(fs, 0);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whoever lives inside may have put anything at its /proc: asked is the kernel, by what is open. */
static bool shows(int proc, const struct stat *wanted)
{
	struct stat root, found;
	struct statfs fs;

	return fstatfs(proc, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
	       fstat(proc, &root) == 0 && root.st_ino == PROC_ROOT_INODE &&
	       fstatat(proc, "1/ns/pid", &found, 0) == 0 && is_same(&found, wanted);
}

/* In the mount namespace of a process inside. */
static int clone_there(void *data, struct err *err)
{
	AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int place =
		root < 0 ? -errno :
			   fd_open_in_root(root, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	int mount;

	if (place < 0)
		return err_sys(err, -place, "cannot open its /proc");
	if (!shows(place, data))
		return err_set(err, ERR_INVALID, ENODEV, "its /proc is another one");
	mount = mount_api_clone(place, "", AT_EMPTY_PATH);
	return mount < 0 ? err_sys(err, -mount, "cannot clone its /proc") : mount;
}

/* Whether a clone could be had from process `name`. */
static bool visit(int proc_fd, const char *name, struct stat *wanted, int *out)
{
	AUTO_CLOSE int pidfd = -1;
	struct err ignored = ERR_INIT;
	struct stat found;
	char path[64];
	char *end;
	long pid = strtol(name, &end, 10);

	if (*end || pid <= 0)
		return false;
	snprintf(path, sizeof(path), "%ld/ns/pid", pid);
	if (fstatat(proc_fd, path, &found, 0) < 0 || !is_same(&found, wanted))
		return false;
	/* Another one of that number by now? What it has at /proc is looked at in any case. */
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	return pidfd >= 0 && mount_visit(pidfd, clone_there, wanted, out, &ignored) == 0;
}

static int clone_from_inside(int pid_ns, int proc_fd, int *out, struct err *err)
{
	AUTO_CLOSEDIR DIR *processes = fd_opendir(proc_fd, ".");
	const struct dirent *entry;
	struct stat wanted;
	bool done = false;

	if (!processes || fstat(pid_ns, &wanted) < 0)
		return err_sys(err, errno, "cannot look for processes of the PID namespace");
	while (!done && (entry = fd_readdir(processes)))
		done = visit(proc_fd, entry->d_name, &wanted, out);
	if (done)
		return 0;
	err_set(err, ERR_UNSUPPORTED, ENOTSUP,
		"no process of the PID namespace has a proc file system of it at /proc");
	return err_hint(err, "from Linux 6.17 on that is not needed");
}

int proc_mount_of(int pid_ns, int proc_fd, int *out, struct err *err)
{
	int result = make(pid_ns);

	if (result == -EINVAL)
		return clone_from_inside(pid_ns, proc_fd, out, err);
	if (result < 0)
		return err_sys(err, -result, "cannot make a proc file system of the PID namespace");
	*out = result;
	return 0;
}
