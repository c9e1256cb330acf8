/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "manager/runtime/clone_call.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/living_thread.h"
#include "manager/runtime/spec_names.h"
#include "store/base/cleanup.h"
#include "store/base/privilege.h"

#define AT_BIRTH ((unsigned)(SPEC_NS_MOUNT | SPEC_NS_PID | SPEC_NS_UTS | SPEC_NS_IPC))
#define OWN_NETWORK "/proc/self/ns/net"

static const struct {
	unsigned bit;
	uint64_t flag;
	const char *file; /* of a process in /proc: namespaces(7) */
} kinds[] = {
	{ SPEC_NS_MOUNT, CLONE_NEWNS, "ns/mnt" },
	{ SPEC_NS_PID, CLONE_NEWPID, "ns/pid" },
	{ SPEC_NS_UTS, CLONE_NEWUTS, "ns/uts" },
	{ SPEC_NS_IPC, CLONE_NEWIPC, "ns/ipc" },
	{ SPEC_NS_NETWORK, CLONE_NEWNET, "ns/net" },
	{ SPEC_NS_CGROUP, CLONE_NEWCGROUP, "ns/cgroup" },
};
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint64_t flags_of(unsigned set)
{
	uint64_t all = 0;

	for (size_t i = 0; i < NKINDS; i++)
		if (set & kinds[i].bit)
			all |= kinds[i].flag;
	return all;
}

int namespaces_check(unsigned set, struct err *err)
{
	if (!(set & SPEC_NS_MOUNT))
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "a container needs its own mount namespace");
	if (set & SPEC_NS_USER)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "user namespaces are not supported");
	return 0;
}

void namespace_joins_release(struct namespace_joins *joins)
{
	for (size_t i = 0; i < SPEC_NS_COUNT; i++)
		cleanup_close(&joins->fds[i]);
	*joins = (struct namespace_joins)NAMESPACE_JOINS_INIT;
}

/* Whatever the path names: only a namespace is worth a descriptor. */
static int open_namespace(const char *path, int *out, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return err_sys(err, errno, "cannot open namespace %s", path);
	if (fstatfs(fd, &fs) < 0)
		return err_sys(err, errno, "cannot examine %s", path);
	if (fs.f_type != NSFS_MAGIC)
		return err_set(err, ERR_INVALID, EINVAL, "%s is not a namespace", path);
	*out = STEAL_FD(fd);
	return 0;
}

static int open_join(const struct spec_join *join, int given, const char *type, int *out,
		     struct err *err)
{
	if (join->path)
		return open_namespace(join->path, out, err);
	if (given < 0)
		return err_set(err, ERR_INVALID, EBADF,
			       "the %s namespace of container %.12s was not handed over", type,
			       join->container);
	*out = fcntl(given, F_DUPFD_CLOEXEC, 3);
	return *out < 0 ? err_sys(err, errno, "cannot keep the %s namespace", type) : 0;
}

int namespace_joins_open(const struct spec *spec, const int *given, struct namespace_joins *out,
			 struct err *err)
{
	struct namespace_joins joins = NAMESPACE_JOINS_INIT;
	int result = 0;

	for (const struct spec_name *name = spec_namespace_names; name->name && result == 0;
	     name++) {
		unsigned i = spec_namespace_index(name->value);
		const struct spec_join *join = &spec->joins[i];

		if (!(spec->namespaces & name->value) || (!join->path && !join->container))
			continue;
		if (name->value & (SPEC_NS_MOUNT | SPEC_NS_USER))
			result = err_set(err, ERR_UNSUPPORTED, ENOTSUP,
					 "a %s namespace cannot be joined: it is always new",
					 name->name);
		else
			result = open_join(join, given ? given[i] : -1, name->name, &joins.fds[i],
					   err);
		joins.set |= (unsigned)name->value;
	}
	if (result < 0) {
		namespace_joins_release(&joins);
		return result;
	}
	*out = joins;
	return 0;
}

static int enter_one(int fd, const struct spec_name *name, struct err *err)
{
	if (setns(fd, (int)flags_of((unsigned)name->value)) == 0)
		return 0;
	if (errno == EINVAL)
		return err_set(err, ERR_INVALID, EINVAL,
			       "cannot enter the %s namespace: it is one of another kind, or not "
			       "below the own one",
			       name->name);
	return err_sys(err, errno, "cannot enter the %s namespace", name->name);
}

int namespaces_enter(const struct namespace_joins *joins, unsigned set, struct err *err)
{
	int result = 0;

	for (const struct spec_name *name = spec_namespace_names; name->name && result == 0; name++)
		if (joins->set & set & name->value)
			result =
				enter_one(joins->fds[spec_namespace_index(name->value)], name, err);
	return result;
}

static struct clone_args child_in(unsigned set, int cgroup_fd, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | flags_of(set & AT_BIRTH),
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	return args;
}

/* What clone3(2) says of a group that is not below the root of the caller's cgroup namespace. */
static int group_is_outside(struct err *err)
{
	err_set(err, ERR_STATE, ENOENT,
		"cannot make a process in its cgroup: it is outside of the cgroup namespace that "
		"cman runs in");
	return err_hint(err, "mount cgroup2 anew in there, over the host's: "
			     "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
}

pid_t namespaces_fork(unsigned set, int cgroup_fd, int *pidfd, struct err *err)
{
	int fd = -1;
	struct clone_args args = child_in(set, cgroup_fd, &fd);
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0) {
		int num = errno;

		if (num == ENOENT && cgroup_fd >= 0)
			return group_is_outside(err);
		err_sys(err, num, "cannot make a process in new namespaces");
		/* ENOSYS is how filters of other containers refuse it */
		if (num == EPERM || num == ENOSYS)
			privilege_hint(err);
		if (num == ENOSPC)
			err_hint(err, "a limit in /proc/sys/user/ is reached");
		return err_code(err);
	}
	if (pid > 0)
		*pidfd = fd;
	return (pid_t)pid;
}

pid_t namespaces_call(int cgroup_fd, int (*function)(void *context), void *context, int *pidfd,
		      struct err *err)
{
	int fd = -1;
	struct clone_args args = child_in(0, cgroup_fd, &fd);
	pid_t pid = clone_call(&args, function, context);

	if (pid == -ENOENT && cgroup_fd >= 0)
		return group_is_outside(err);
	if (pid < 0)
		return err_sys(err, -pid, "cannot make a process");
	*pidfd = fd;
	return pid;
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

int namespaces_make_network(int *out, struct err *err)
{
	AUTO_CLOSE int home = -1;
	AUTO_CLOSE int made = -1;
	int result = open_namespace(OWN_NETWORK, &home, err);

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
	result = open_namespace(OWN_NETWORK, &made, err);
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

int namespaces_set_names(unsigned set, const char *hostname, const char *domainname,
			 struct err *err)
{
	if (!(set & SPEC_NS_UTS))
		return 0;
	if (hostname && sethostname(hostname, strlen(hostname)) < 0)
		return err_sys(err, errno, "cannot set the host name to \"%s\"", hostname);
	if (domainname && setdomainname(domainname, strlen(domainname)) < 0)
		return err_sys(err, errno, "cannot set the domain name to \"%s\"", domainname);
	return 0;
}

int namespaces_open(unsigned set, pid_t pid, int pidfd, struct namespace_joins *out,
		    struct err *err)
{
	struct namespace_joins found = NAMESPACE_JOINS_INIT;
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	AUTO_CLOSE int proc_fd = -1;
	int result = identity_open_proc(&proc_fd, err);

	for (size_t i = 0; i < NKINDS && result == 0; i++) {
		int *fd = &found.fds[spec_namespace_index(kinds[i].bit)];

		if (!(set & kinds[i].bit))
			continue;
		*fd = living_thread_open(proc_fd, pid, kinds[i].file, O_RDONLY);
		if (*fd < 0)
			result = err_sys(err, -*fd, "cannot open /proc/%d/%s", (int)pid,
					 kinds[i].file);
	}
	/* Whatever was found by its number may be another's then, or nothing. */
	if (proc_fd >= 0 && poll(&end, 1, 0) != 0)
		result = err_set(err, ERR_STATE, ESRCH, "process %d has ended", (int)pid);
	if (result < 0) {
		namespace_joins_release(&found);
		return result;
	}
	found.set = set;
	*out = found;
	return 0;
}

/* Its first thread has ended, and setns(2) finds nothing there. */
static int join_living_thread(unsigned set, int pidfd, struct err *err)
{
	struct namespace_joins joins = NAMESPACE_JOINS_INIT;
	AUTO_CLOSE int proc_fd = -1;
	pid_t pid = -1;
	int result = identity_open_proc(&proc_fd, err);

	if (result == 0)
		result = identity_of_pidfd(proc_fd, pidfd, &pid, err);
	if (result == 0)
		result = namespaces_open(set, pid, pidfd, &joins, err);
	if (result == 0)
		result = namespaces_enter(&joins, set, err);
	namespace_joins_release(&joins);
	return result;
}

int namespaces_join(unsigned set, int pidfd, struct err *err)
{
	if (!set || setns(pidfd, (int)flags_of(set)) == 0)
		return 0;
	if (errno == ESRCH)
		return join_living_thread(set, pidfd, err);
	return err_sys(err, errno, "cannot join the namespaces of the container");
}
