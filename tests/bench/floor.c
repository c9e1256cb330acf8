/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under every container: what the kernel itself asks for five namespaces, an overlay,
 * proc, a /dev of its own, pivot_root and execve. No record, no log, no cgroup, no filter, no error
 * that a person could read. Static, against musl, no library, so that next to nothing but the
 * kernel is measured.
 *
 * 	floor LOWER UPPER WORK MERGED PROGRAM    (directories; PROGRAM inside)
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of clone3(2), as linux/sched.h has it: musl-gcc alone does not find the kernel's headers. */
struct clone_args_v0 {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static void check(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
		_exit(125);
	}
}

static void enter(char **argv)
{
	char overlay[4096];

	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make / private");
	snprintf(overlay, sizeof(overlay), "lowerdir=%s,upperdir=%s,workdir=%s", argv[1], argv[2],
		 argv[3]);
	check(mount("overlay", argv[4], "overlay", 0, overlay), "overlay");
	check(chdir(argv[4]), "chdir");
	check(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
	check(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755"), "tmpfs on dev");
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "detach the old root");
	check(chdir("/"), "chdir /");
	execve(argv[5], &argv[5], (char *[]){ NULL });
	check(-1, argv[5]);
}

int main(int argc, char **argv)
{
	struct clone_args_v0 args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET,
		.exit_signal = SIGCHLD,
	};
	int status;
	long pid;

	if (argc != 6)
		return 2;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	check(pid, "clone3");
	if (pid == 0)
		enter(argv);
	check(waitpid((pid_t)pid, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
