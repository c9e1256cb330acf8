/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second floor: what the kernel takes for all that a container of cman's has by default, with
 * ctinit as its PID 1. To floor.c it adds a control group, two namespaces, the other mounts, the
 * device nodes, masked and read-only paths, fewer capabilities, the system call filter and the
 * second program. Still no record, no log, no monitor, and no error that a person could read; and
 * paths are taken as they are, which only an image that nobody else made allows.
 *
 * 	confined LOWER UPPER WORK MERGED CGROUP FILTER CTINIT PROGRAM
 *
 * CGROUP: of version 2, one is made below it; FILTER: a program of struct sock_filter, as a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* As linux/sched.h, linux/filter.h and linux/capability.h have them: see floor.c. */
struct clone_args_v2 {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};
struct filter_program {
	unsigned short len;
	void *filter;
};
#define INTO_CGROUP UINT64_C(0x200000000)
#define NEW_CGROUP UINT64_C(0x02000000)
#define FILTER_MODE 1
#define INSTRUCTION_BYTES 8
#define LAST_CAPABILITY 40
#define DEFAULT_CAPABILITIES UINT64_C(0xa80425fb)

#define HARMLESS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

enum { LOWER = 1, UPPER, WORK, MERGED, CGROUP, FILTER, CTINIT, PROGRAM, NARGS };

static void check(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "confined: %s: %s\n", what, strerror(errno));
		_exit(125);
	}
}

static void mount_new(const char *type, const char *at, unsigned long flags, const char *options)
{
	if (mkdir(at, 0755) < 0 && errno != EEXIST)
		check(-1, at);
	check(mount(type, at, type, flags, options), at);
}

static void make_devices(void)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} nodes[] = {
		{ "dev/null", 1, 3 },	{ "dev/zero", 1, 5 },	 { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "dev/fd" },	     { "/proc/self/fd/0", "dev/stdin" },
		{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
		{ "pts/ptmx", "dev/ptmx" },
	};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		check(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)),
		      nodes[i].path);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		check(symlink(links[i][0], links[i][1]), links[i][1]);
}

/* Not every kernel has all of them. */
static void protect_paths(void)
{
	static const char *const masked_files[] = { "proc/kcore", "proc/keys", "proc/timer_list" };
	static const char *const masked_dirs[] = { "proc/acpi", "sys/firmware" };
	static const char *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys",
						 "proc/sysrq-trigger" };

	for (size_t i = 0; i < sizeof(masked_files) / sizeof(masked_files[0]); i++)
		if (mount("dev/null", masked_files[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			check(-1, masked_files[i]);
	for (size_t i = 0; i < sizeof(masked_dirs) / sizeof(masked_dirs[0]); i++)
		if (mount("tmpfs", masked_dirs[i], "tmpfs", MS_RDONLY, "size=4k") < 0 &&
		    errno != ENOENT)
			check(-1, masked_dirs[i]);
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
		if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) == 0)
			check(mount(NULL, read_only[i], NULL,
				    MS_BIND | MS_REMOUNT | MS_RDONLY | HARMLESS, NULL),
			      read_only[i]);
		else if (errno != ENOENT)
			check(-1, read_only[i]);
	}
}

static void enter(char **argv, const struct filter_program *filter)
{
	int ctinit = open(argv[CTINIT], O_RDONLY | O_CLOEXEC);
	char overlay[4096];

	check(ctinit, argv[CTINIT]);
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make / private");
	snprintf(overlay, sizeof(overlay), "lowerdir=%s,upperdir=%s,workdir=%s", argv[LOWER],
		 argv[UPPER], argv[WORK]);
	check(mount("overlay", argv[MERGED], "overlay", 0, overlay), "overlay");
	check(chdir(argv[MERGED]), "chdir");
	mount_new("proc", "proc", HARMLESS, NULL);
	mount_new("tmpfs", "dev", MS_NOSUID, "mode=755,size=65536k");
	mount_new("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620,gid=5");
	mount_new("tmpfs", "dev/shm", HARMLESS, "mode=1777,size=65536k");
	mount_new("mqueue", "dev/mqueue", HARMLESS, NULL);
	mount_new("sysfs", "sys", HARMLESS | MS_RDONLY, NULL);
	make_devices();
	protect_paths();
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "detach the old root");
	check(chdir("/"), "chdir /");
	check(sethostname("confined", strlen("confined")), "sethostname");
	for (int i = 0; i <= LAST_CAPABILITY; i++)
		if (!(DEFAULT_CAPABILITIES >> i & 1))
			check(prctl(PR_CAPBSET_DROP, i, 0, 0, 0), "drop a capability");
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	check(syscall(SYS_seccomp, FILTER_MODE, 0, filter), "seccomp");
	(void)syscall(SYS_execveat, ctinit, "", (char *[]){ "ctinit", "--", argv[PROGRAM], NULL },
		      (char *[]){ NULL }, AT_EMPTY_PATH);
	check(-1, argv[CTINIT]);
}

static void read_filter(const char *path, struct filter_program *filter)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));

	check(len, path);
	close(fd);
	*filter = (struct filter_program){ (unsigned short)(len / INSTRUCTION_BYTES), text };
}

int main(int argc, char **argv)
{
	struct clone_args_v2 args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
			 NEW_CGROUP | INTO_CGROUP,
		.exit_signal = SIGCHLD,
	};
	struct filter_program filter;
	char cgroup[4096];
	int status, cgroup_fd;
	long pid;

	if (argc != NARGS)
		return 2;
	read_filter(argv[FILTER], &filter);
	snprintf(cgroup, sizeof(cgroup), "%s/confined-%d", argv[CGROUP], (int)getpid());
	check(mkdir(cgroup, 0755), cgroup);
	cgroup_fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(cgroup_fd, cgroup);
	args.cgroup = (uint64_t)cgroup_fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	check(pid, "clone3");
	if (pid == 0)
		enter(argv, &filter);
	check(waitpid((pid_t)pid, &status, 0), "waitpid");
	check(rmdir(cgroup), cgroup);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
