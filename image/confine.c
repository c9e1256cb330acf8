/* SPDX-License-Identifier: Apache-2.0 */
#include "image/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/private_mounts.h"
#include "store/base/privilege.h"
#include "store/base/sanitized.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#endif

#define HARMLESS (MS_NODEV | MS_NOSUID | MS_NOEXEC)

#define NOBODY 65534

static int limit(int resource, const char *name, int64_t value, struct err *err)
{
	struct rlimit rl = { (rlim_t)value, (rlim_t)value }, now;

	if (value < 0)
		return 0;
	if (getrlimit(resource, &now) == 0 && now.rlim_max < rl.rlim_max)
		rl.rlim_cur = rl.rlim_max = now.rlim_max;
	if (setrlimit(resource, &rl) < 0)
		return err_sys(err, errno, "cannot limit %s", name);
	return 0;
}

int confine_limits(int64_t file_size, int64_t files, int64_t data, struct err *err)
{
	int r = limit(RLIMIT_CORE, "the core file", 0, err);

	if (r == 0)
		r = limit(RLIMIT_FSIZE, "the file size", file_size, err);
	if (r == 0)
		r = limit(RLIMIT_NOFILE, "open files", files, err);
	/* The shadow memory of a sanitizer counts as private memory, in terabytes. */
	if (r == 0 && !SANITIZED)
		r = limit(RLIMIT_DATA, "memory", data, err);
	return r;
}

static int leave_namespaces(struct err *err)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return err_sys(err, errno, "cannot make namespaces to work in");
	return private_mounts_make(err);
}

/* Make the attached mount the root and all there is. `flags` as for mount(2), 0: as it is. */
static int enter_mount(int tree, unsigned long flags, struct err *err)
{
	if (fchdir(tree) < 0)
		return err_sys(err, errno, "cannot enter the directory");
	/* The copy of a shared mount, as systemd has them all, is shared: that cannot be a root. */
	if (mount(NULL, ".", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, errno, "cannot make the directory's mount private");
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(err, errno, "cannot change root to the directory");
	/*
	 * A device node or program from the archive is of no use to whoever takes over the
	 * parser.
	 */
	if (flags && mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0)
		return err_sys(err, errno, "cannot forbid devices in the directory");
	return 0;
}

int confine_root(int dir_fd, struct err *err)
{
	/* The tree is cloned while this process is still in the namespace it was opened in; the
	 * working directory is translated into the new one by unshare(2), `dir_fd` is not. */
	AUTO_CLOSE int tree = (int)syscall(SYS_open_tree, dir_fd, "",
					   OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH);
	int r;

	if (tree < 0) {
		err_sys(err, errno, "cannot clone the mount of the target directory");
		return err->num == EPERM ? privilege_hint(err) : err_code(err);
	}
	if (fchdir(dir_fd) < 0)
		return err_sys(err, errno, "cannot enter the target directory");
	r = leave_namespaces(err);
	if (r < 0)
		return r;
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot mount the target directory");
	return enter_mount(tree, HARMLESS, err);
}

static int attach_and_enter(int mount_fd, unsigned long flags, struct err *err)
{
	AUTO_CLOSE int place = -1;
	int r = leave_namespaces(err);

	if (r < 0)
		return r;
	/* Over the root: so it needs no place of its own. */
	place = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place < 0 || syscall(SYS_move_mount, mount_fd, "", place, "",
				 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot mount the tree");
	return enter_mount(mount_fd, flags, err);
}

int confine_mount(int mount_fd, struct err *err)
{
	return attach_and_enter(mount_fd, HARMLESS | MS_RDONLY, err);
}

int confine_mount_as_it_is(int mount_fd, struct err *err)
{
	return attach_and_enter(mount_fd, 0, err);
}

/*
 * So that nothing comes back by execve(2). Without CAP_SETPCAP it fails, and there is little to
 * lose.
 */
static void bound_capabilities(uint64_t keep)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (cap >= 64 || !(keep >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

int confine_identity(struct err *err)
{
	int death_signal = 0;

	if (geteuid() != 0)
		return 0;
	bound_capabilities(0); /* while there is the right to do so */
	/* A change of user clears the parent-death signal. */
	prctl(PR_GET_PDEATHSIG, &death_signal);
	/* A user namespace may forbid the first, and may have no such user. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return err_sys(err, errno, "cannot drop supplementary groups");
	if ((setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) &&
	    errno != EINVAL)
		return err_sys(err, errno, "cannot become user %d", NOBODY);
	if (prctl(PR_SET_PDEATHSIG, death_signal) < 0)
		return err_sys(err, errno, "cannot set the parent-death signal");
	return 0;
}

int confine_capabilities(uint64_t keep, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	bound_capabilities(keep);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &header, data) < 0)
		return err_sys(err, errno, "cannot read capabilities");
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_sys(err, errno, "cannot drop capabilities");
	return 0;
}

int confine_no_new_privs(struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot set no_new_privs");
	return 0;
}

/* As of version 6; older headers have only the first member. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#define ACCESS_FS_V1 ((1ULL << 13) - 1)
#define ACCESS_NET_BIND_TCP (1ULL << 0)
#define SCOPE_ABSTRACT_UNIX_AND_SIGNAL 3ULL

static int allow_files(int ruleset, const char *const *files, struct err *err)
{
	for (; *files; files++) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		};
		AUTO_CLOSE int fd = open(*files, O_PATH | O_CLOEXEC);

		if (fd < 0)
			continue;
		rule.parent_fd = fd;
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) <
		    0)
			return err_sys(err, errno, "cannot allow %s by Landlock", *files);
	}
	return 0;
}

int confine_landlock(const char *const *files, struct err *err)
{
	static const int fs_bits[] = { 0, 13, 14, 15, 15, 16 }; /* access rights by version */
	struct ruleset_attr attr = { 0 };
	AUTO_CLOSE int ruleset = -1;
	int r, version;

	version =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	if (version < 1)
		return err_sys(err, errno, "cannot ask for Landlock");
	attr.handled_access_fs = (1ULL << fs_bits[version < 5 ? version : 5]) - 1;
	if (version >= 4)
		attr.handled_access_net = ACCESS_NET_BIND_TCP;
	if (version >= 6)
		attr.scoped = SCOPE_ABSTRACT_UNIX_AND_SIGNAL;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
			       version < 4 ? sizeof(attr.handled_access_fs) : sizeof(attr), 0);
	if (ruleset < 0)
		return err_sys(err, errno, "cannot make Landlock rules");
	r = allow_files(ruleset, files, err);
	if (r < 0)
		return r;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_sys(err, errno, "cannot apply Landlock rules");
	return 0;
}

/*
 * Sockets of the internet only: those of other kinds lead to services of this machine, and to parts
 * of the kernel that few have looked at.
 */
static int allow_sockets(scmp_filter_ctx filter, int nr)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, nr, 1, SCMP_A0(SCMP_CMP_EQ, AF_INET, 0));

	return r < 0 ? r :
		       seccomp_rule_add(filter, SCMP_ACT_ALLOW, nr, 1,
					SCMP_A0(SCMP_CMP_EQ, AF_INET6, 0));
}

static int allow_calls(scmp_filter_ctx filter, const char *const *calls)
{
	static const char *const memory[] = { "mmap", "mprotect" };
	int r = 0;

	for (; r == 0 && *calls; calls++) {
		int nr = seccomp_syscall_resolve_name(*calls);

		if (nr < 0) /* not of this machine */
			continue;
		r = strcmp(*calls, "socket") == 0 ? allow_sockets(filter, nr) :
						    seccomp_rule_add(filter, SCMP_ACT_ALLOW, nr, 0);
	}
	for (size_t i = 0; r == 0 && i < sizeof(memory) / sizeof(memory[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
				     seccomp_syscall_resolve_name(memory[i]), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return r;
}

/*
 * Threads, but no processes. clone3(2) hides its flags in memory: libraries fall back to
 * clone(2).
 */
static int allow_threads(scmp_filter_ctx filter)
{
	static const char *const calls[] = { "set_robust_list",	  "rseq",	 "set_tid_address",
					     "sched_getaffinity", "sched_yield", NULL };
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	for (size_t i = 0; r == 0 && calls[i]; i++) {
		int nr = seccomp_syscall_resolve_name(calls[i]);

		if (nr >= 0)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, nr, 0);
	}
	return r;
}

/*
 * Whether the kernel was built with CONFIG_SECCOMP_FILTER: it is asked to take a filter from
 * nowhere, which one that has them tries to read. seccomp(2).
 */
static bool has_filters(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == 0 || errno == EFAULT;
}

int confine_seccomp(const char *const *calls, bool threads, struct err *err)
{
	scmp_filter_ctx filter;
	int r;

	/* A sanitizer makes system calls of its own, of any kind. */
	if (SANITIZED)
		return 0;
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!filter)
		return err_sys(err, ENOMEM, "cannot make a system call filter");
	r = allow_calls(filter, calls);
	if (r == 0 && threads)
		r = allow_threads(filter);
	/* no_new_privs is set already, and libseccomp need not do it again. */
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (r < 0) {
		seccomp_release(filter);
		return err_sys(err, -r, "cannot make a system call filter");
	}
	r = has_filters() ? seccomp_load(filter) : 0;
	seccomp_release(filter);
	return r < 0 ? err_sys(err, -r, "cannot apply the system call filter") : 0;
}

int confine_all(const struct confinement *confinement, struct err *err)
{
	static const char *const none[] = { NULL };
	int r = confine_limits(0, confinement->descriptors, confinement->memory, err);

	if (r == 0)
		r = confine_identity(err);
	if (r == 0)
		r = confine_capabilities(0, err);
	if (r == 0)
		r = confine_no_new_privs(err);
	if (r == 0)
		r = confine_landlock(confinement->files ? confinement->files : none, err);
	if (r == 0)
		r = confine_seccomp(confinement->system_calls, confinement->threads, err);
	return r;
}
