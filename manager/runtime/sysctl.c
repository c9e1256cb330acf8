/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/vfs.h>

#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

/* What is the IPC namespace's, ipc_namespaces(7); by whole paths, or directories. */
static const char *const of_ipc[] = {
	"kernel/msgmax", "kernel/msgmnb", "kernel/msgmni",	    "kernel/sem", "kernel/shmall",
	"kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced", "fs/mqueue/",
};

/* The path below /proc/sys, and the value behind it. */
struct parameter {
	char path[NAME_MAX + 1];
	const char *value;
	int key_len;
};

/*
 * "net.ipv4.conf.eth0/1.forwarding" and "net/ipv4/conf/eth0.1/forwarding" are the same: whichever
 * of the two signs comes first separates (sysctl.d(5)).
 */
static int parse(const char *pair, struct parameter *out, struct err *err)
{
	size_t len = strcspn(pair, "=");
	bool dots = pair[strcspn(pair, "./=")] == '.';

	out->key_len = (int)len;
	if (!pair[len] || len == 0 || len >= sizeof(out->path))
		return err_set(err, ERR_INVALID, EINVAL, "sysctl: not KEY=VALUE: %.200s", pair);
	for (size_t i = 0; i < len; i++)
		out->path[i] = (char)(!dots	     ? pair[i] :
				      pair[i] == '.' ? '/' :
				      pair[i] == '/' ? '.' :
						       pair[i]);
	out->path[len] = '\0';
	out->value = pair + len + 1;
	return 0;
}

/* No component that leads anywhere but down. */
static bool is_plain(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 0 || path[0] == '.')
			return false;
		path += len;
		if (*path == '/' && !*++path)
			return false;
	}
	return true;
}

static bool is_of_ipc(const char *path)
{
	for (size_t i = 0; i < sizeof(of_ipc) / sizeof(of_ipc[0]); i++) {
		bool directory = of_ipc[i][strlen(of_ipc[i]) - 1] == '/';

		if (directory ? begins_with(path, of_ipc[i]) : strcmp(path, of_ipc[i]) == 0)
			return true;
	}
	return false;
}

static int not_its_own(const char *pair, const struct parameter *parameter, const char *which,
		       struct err *err)
{
	return err_set(err, ERR_INVALID, EPERM,
		       "sysctl %.*s belongs to the %s namespace, which is not the container's own",
		       parameter->key_len, pair, which);
}

static int check(const char *pair, unsigned own, struct parameter *parameter, struct err *err)
{
	int result = parse(pair, parameter, err);

	if (result < 0)
		return result;
	if (is_plain(parameter->path)) {
		if (begins_with(parameter->path, "net/"))
			return own & SPEC_NS_NETWORK ? 0 :
						       not_its_own(pair, parameter, "network", err);
		if (is_of_ipc(parameter->path))
			return own & SPEC_NS_IPC ? 0 : not_its_own(pair, parameter, "ipc", err);
	}
	err_set(err, ERR_INVALID, EPERM, "sysctl %.*s is one of the whole host", parameter->key_len,
		pair);
	if (strcmp(parameter->path, "kernel/hostname") == 0 ||
	    strcmp(parameter->path, "kernel/domainname") == 0)
		return err_hint(err, "names are set with --hostname and --domainname");
	return err_hint(err, "of a container are: net.*, fs.mqueue.*, kernel.msg*, kernel.shm*, "
			     "kernel.sem");
}

int sysctl_check(const char *pair, unsigned own, struct err *err)
{
	struct parameter parameter;

	return check(pair, own, &parameter, err);
}

static int write_one(int sys_fd, const char *pair, const struct parameter *parameter,
		     struct err *err)
{
	AUTO_CLOSE int fd =
		fd_open_beneath(sys_fd, parameter->path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	int result = fd < 0 ? fd : fd_write_all(fd, parameter->value, strlen(parameter->value));

	if (result == -ENOENT)
		return err_set(err, ERR_INVALID, ENOENT,
			       "this kernel has no sysctl %.*s in a container", parameter->key_len,
			       pair);
	if (result < 0)
		return err_sys(err, -result, "cannot set sysctl %.*s to \"%.100s\"",
			       parameter->key_len, pair, parameter->value);
	return 0;
}

int sysctl_set(char *const *pairs, unsigned own, int root_fd, struct err *err)
{
	AUTO_CLOSE int sys_fd = -1;
	struct statfs fs;
	int result = 0;

	if (!pairs)
		return 0;
	sys_fd = fd_open_in_root(root_fd, "/proc/sys", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (sys_fd < 0)
		return err_sys(err, -sys_fd, "cannot open /proc/sys of the container");
	if (fstatfs(sys_fd, &fs) < 0)
		return err_sys(err, errno, "cannot examine /proc/sys of the container");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_set(err, ERR_INVALID, EXDEV,
			       "/proc/sys of the container is not the kernel's: no sysctl is set");
	for (; *pairs && result == 0; pairs++) {
		struct parameter parameter;

		result = check(*pairs, own, &parameter, err);
		if (result == 0)
			result = write_one(sys_fd, *pairs, &parameter, err);
	}
	return result;
}
