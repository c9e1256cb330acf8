/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "manager/runtime/spec.h"
#include "store/base/cleanup.h"

#define KERNEL_MAJOR \
	5 /* close_range(2) with CLOSE_RANGE_CLOEXEC is the newest that has no substitute */
#define KERNEL_MINOR 11

#define AT_BIRTH ((unsigned)(SPEC_NS_MOUNT | SPEC_NS_PID | SPEC_NS_UTS | SPEC_NS_IPC))
#define OWN_NETWORK "/proc/self/ns/net"

static const struct {
	unsigned bit;
	uint64_t flag;
} flags[] = {
	{ SPEC_NS_MOUNT, CLONE_NEWNS },	   { SPEC_NS_PID, CLONE_NEWPID },
	{ SPEC_NS_UTS, CLONE_NEWUTS },	   { SPEC_NS_IPC, CLONE_NEWIPC },
	{ SPEC_NS_NETWORK, CLONE_NEWNET }, { SPEC_NS_CGROUP, CLONE_NEWCGROUP },
};

static uint64_t flags_of(unsigned set)
{
	uint64_t all = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (set & flags[i].bit)
			all |= flags[i].flag;
	return all;
}

int namespaces_parse_release(const char *release, unsigned *major, unsigned *minor)
{
	unsigned a, b;

	if (sscanf(release, "%3u.%3u", &a, &b) != 2)
		return -EINVAL;
	*major = a;
	*minor = b;
	return 0;
}

int namespaces_check(unsigned set, struct err *err)
{
	struct utsname name;
	unsigned major, minor;

	if (uname(&name) < 0)
		return err_sys(err, errno, "cannot ask for the kernel's release");
	if (namespaces_parse_release(name.release, &major, &minor) < 0)
		return err_set(err, ERR_UNSUPPORTED, ENOSYS, "unknown kernel release %.60s",
			       name.release);
	if (major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR))
		return err_set(err, ERR_UNSUPPORTED, ENOSYS,
			       "this kernel is %.60s, and containers need %d.%d or newer",
			       name.release, KERNEL_MAJOR, KERNEL_MINOR);
	if (!(set & SPEC_NS_MOUNT) || !(set & SPEC_NS_PID))
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "a container needs its own mount and pid namespaces");
	if (set & SPEC_NS_USER)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "user namespaces are not supported");
	return 0;
}

pid_t namespaces_fork(unsigned set, int cgroup_fd, int *pidfd, struct err *err)
{
	int fd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | flags_of(set & AT_BIRTH),
		.pidfd = (uintptr_t)&fd,
		.exit_signal = SIGCHLD,
	};
	long pid;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0) {
		int num = errno;

		err_sys(err, num, "cannot make a process in new namespaces");
		if (num == EPERM)
			err_hint(err, "cman run needs root");
		if (num == ENOSPC)
			err_hint(err, "a limit in /proc/sys/user/ is reached");
		return err_code(err);
	}
	if (pid > 0)
		*pidfd = fd;
	return (pid_t)pid;
}

static int raise_loopback(struct err *err)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket for the loopback device");
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_sys(err, errno, "cannot bring up the loopback device");
	return 0;
}

static int open_network(int *out, struct err *err)
{
	int fd = open(OWN_NETWORK, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", OWN_NETWORK);
	*out = fd;
	return 0;
}

int namespaces_make_network(unsigned set, int *out, struct err *err)
{
	AUTO_CLOSE int home = -1;
	AUTO_CLOSE int made = -1;
	int result;

	if (!(set & SPEC_NS_NETWORK)) {
		*out = -1;
		return 0;
	}
	result = open_network(&home, err);
	if (result < 0)
		return result;
	if (unshare(CLONE_NEWNET) < 0) {
		err_sys(err, errno, "cannot make a network namespace");
		return err->num == ENOSPC ?
			       err_hint(
				       err,
				       "the limit in /proc/sys/user/max_net_namespaces is reached") :
			       err_code(err);
	}
	result = open_network(&made, err);
	if (result == 0)
		result = raise_loopback(err);
	if (setns(home, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "cannot return from the container's network namespace");
	if (result == 0)
		*out = STEAL_FD(made);
	return result;
}

int namespaces_enter_network(int fd, struct err *err)
{
	if (fd >= 0 && setns(fd, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "cannot enter the network namespace");
	return 0;
}

int namespaces_enter_cgroup(unsigned set, struct err *err)
{
	if ((set & SPEC_NS_CGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, errno, "cannot make a cgroup namespace");
	return 0;
}

int namespaces_set_hostname(unsigned set, const char *hostname, struct err *err)
{
	if ((set & SPEC_NS_UTS) && hostname && sethostname(hostname, strlen(hostname)) < 0)
		return err_sys(err, errno, "cannot set the host name to \"%s\"", hostname);
	return 0;
}

int namespaces_join(unsigned set, int pidfd, struct err *err)
{
	if (set && setns(pidfd, (int)flags_of(set)) < 0)
		return err_sys(err, errno, "cannot join the namespaces of the container");
	return 0;
}
