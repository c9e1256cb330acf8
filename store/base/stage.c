/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/sanitized.h"
#include "store/base/sigdefault.h"

#define STAGE_MAX_FDS 16
/* Of a child, its stack. */
#define MEMORY_BYTES (32 << 10)

/* Since Linux 6.3; absent from older headers. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

const struct stage *stage_find(const struct stage *stages, const char *name)
{
	const struct stage *found = NULL;

	for (const struct stage *s = stages; s->name; s++) {
		for (const struct stage *other = s + 1; other->name; other++)
			if (strcmp(s->name, other->name) == 0)
				abort();
		if (strcmp(s->name, name) == 0)
			found = s;
	}
	return found;
}

/* --- the binary, so that nobody can write to it through /proc/PID/exe --- */

/*
 * A read-only mount of just the binary, attached nowhere. It lives as long as somebody has the file
 * open or runs it.
 */
static int clone_read_only(int exe)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	AUTO_CLOSE int fd = (int)syscall(SYS_open_tree, exe, "",
					 AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return STEAL_FD(fd);
}

static int copy_to_sealed_memfd(void)
{
	AUTO_CLOSE int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int to = -1;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	to = memfd_create("cman", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (to < 0 && errno == EINVAL)
		to = memfd_create("cman", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (to < 0)
		return -errno;
	for (off_t done = 0; done < st.st_size;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)(st.st_size - done));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
		done += n > 0 ? n : 0;
	}
	if (fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return STEAL_FD(to);
}

/*
 * A stage runs from such a mount or a sealed copy already; so does a binary on a read-only file
 * system.
 */
static bool is_read_only(int exe)
{
	struct statvfs fs;
	int seals = fcntl(exe, F_GET_SEALS);

	return (seals >= 0 && (seals & F_SEAL_WRITE)) ||
	       (fstatvfs(exe, &fs) == 0 && (fs.f_flag & ST_RDONLY));
}

/* The descriptor to execute. */
static int open_self(int *out, struct err *err)
{
	AUTO_CLOSE int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int fd;

	if (exe < 0) {
		err_sys(err, errno, "cannot open /proc/self/exe");
		return err_hint(err, "cman needs /proc to be mounted");
	}
	if (is_read_only(exe)) {
		*out = STEAL_FD(exe);
		return 0;
	}
	fd = clone_read_only(exe);
	if (fd < 0)
		fd = copy_to_sealed_memfd();
	if (fd < 0) {
		/* Who is not root cannot give a container the power to write to the binary. */
		if (geteuid() == 0)
			return err_sys(err, -fd, "cannot make a read-only copy of /proc/self/exe");
		fd = STEAL_FD(exe);
	}
	*out = fd;
	return 0;
}

int stage_execute_again(char *const argv[], struct err *err)
{
	AUTO_CLOSE int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int copy = -1;

	if (geteuid() != 0 || (exe >= 0 && is_read_only(exe)))
		return 0;
	if (open_self(&copy, err) < 0)
		return err_code(err);
	(void)syscall(SYS_execveat, copy, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(err, errno, "cannot execute /proc/self/exe");
}

/* --- the child --- */

/*
 * Shared with the child, which runs in our memory until it has executed the stage: as after
 * vfork(2), but on a stack of its own, and we may go on meanwhile. So nothing here moves or changes
 * until then; and as errno is shared, too, no call of the child's fails unless the stage is lost.
 */
struct spawn {
	const char *name;
	struct stage_options options;
	int exe; /* these two are above every number that a stage's descriptor can get */
	int null;
	int sources[STAGE_MAX_FDS]; /* likewise, or -1 */
	pid_t parent;
	const char *failed; /* the step, NULL while none has */
	int num;	    /* its errno */
};

/* Only SIG_IGN outlives execve(2), but a handler of the parent must not run in this child. */
NOT_SANITIZED static void reset_signals(void)
{
	sigset_t none;

	sigdefault_all();
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

NOT_SANITIZED static bool place_descriptors(const struct spawn *s)
{
	const struct stage_options *options = &s->options;
	int nfds = options->nfds + (options->keep_mount ? 1 : 0);
	int count = nfds > 3 ? nfds : 3;

	for (int i = 0; i < count; i++) {
		int source = i < options->nfds ? s->sources[i] : -1;

		if (options->keep_mount && i == options->nfds)
			source = s->exe;

		if (source < 0 && i < 3)
			source = s->null;
		/* close_range(2) does not mind one that is not open, as most are not. */
		if (source < 0 ? syscall(SYS_close_range, i, i, 0) < 0 : dup2(source, i) < 0)
			return false;
	}
	/* Not closed at once, as the binary is among them. */
	return syscall(SYS_close_range, (unsigned)count, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

static int fail(struct spawn *s, const char *step)
{
	s->num = errno;
	s->failed = step;
	return 127;
}

NOT_SANITIZED static int spawn_child(void *arg)
{
	struct spawn *s = arg;
	char *const argv[] = { (char *)s->name, NULL };
	char *const envp[] = { NULL };
	int signal = s->options.parent_death_signal;

	if (signal) {
		pid_t ppid;

		if (prctl(PR_SET_PDEATHSIG, signal) < 0)
			return fail(s, "cannot set the parent-death signal");
		/* 0: the parent is outside of this PID namespace. */
		ppid = getppid();
		if (ppid != 0 && ppid != s->parent)
			return 127;
	}
	if (s->options.new_session && setsid() < 0)
		return fail(s, "cannot make a new session");
	if (!place_descriptors(s))
		return fail(s, "cannot hand over descriptors");
	reset_signals();
	(void)syscall(SYS_execveat, s->exe, "", argv, envp, AT_EMPTY_PATH);
	return fail(s, "cannot execute /proc/self/exe");
}

/* --- the parent --- */

static int begin(struct spawn *s, struct stage_child *child, struct err *err)
{
	int flags = CLONE_VM | CLONE_PIDFD | SIGCHLD;
	sigset_t all, before;
	int pidfd = -1;
	pid_t pid;

	if (!s->options.no_wait)
		flags |= CLONE_VFORK;
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	/* The stack grows down, from where *s is. */
	pid = clone(spawn_child, s, flags, s, &pidfd, NULL, NULL);
	if (pid < 0)
		err_sys(err, errno, "cannot start stage %s", s->name);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return err_code(err);
	if (!s->options.no_wait && s->failed) {
		close(pidfd);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return err_sys(err, s->num, "cannot start stage %s: %s", s->name, s->failed);
	}
	child->pid = pid;
	child->pidfd = pidfd;
	return 0;
}

/* A duplicate above all numbers that the stage gets, so that none is overwritten before its turn.
 */
static int duplicate_high(int fd, int *out, const char *name, struct err *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, STAGE_MAX_FDS);

	/* EINVAL: the limit of open files is even below that. fcntl(2). */
	if (copy < 0)
		return err_sys(err, errno == EINVAL ? EMFILE : errno,
			       "cannot start stage %s: descriptor %d", name, fd);
	*out = copy;
	return 0;
}

/* Fill s->sources; what has to be closed afterwards is in `copies`, too. */
static int lift_descriptors(struct spawn *s, int *copies, struct err *err)
{
	for (int i = 0; i < s->options.nfds; i++) {
		int fd = s->options.fds[i];
		int r = 0;

		s->sources[i] = fd;
		if (fd >= 0 && fd < STAGE_MAX_FDS) {
			r = duplicate_high(fd, &copies[i], s->name, err);
			s->sources[i] = copies[i];
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int spawn(struct spawn *s, struct stage_child *child, struct err *err)
{
	AUTO_CLOSE int exe = -1;
	AUTO_CLOSE int high_exe = -1;
	AUTO_CLOSE int null = -1;
	AUTO_CLOSE int high_null = -1;
	int r = open_self(&exe, err);

	if (r < 0)
		return r;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_sys(err, errno, "cannot open /dev/null");
	if (exe < STAGE_MAX_FDS)
		r = duplicate_high(exe, &high_exe, s->name, err);
	if (r == 0 && null < STAGE_MAX_FDS)
		r = duplicate_high(null, &high_null, s->name, err);
	if (r < 0)
		return r;
	s->exe = high_exe >= 0 ? high_exe : exe;
	s->null = high_null >= 0 ? high_null : null;
	s->parent = getpid();
	return begin(s, child, err);
}

static int spawn_in(void *memory, const char *name, const struct stage_options *options,
		    struct stage_child *child, struct err *err)
{
	struct spawn *s = (struct spawn *)((char *)memory + MEMORY_BYTES) - 1;
	int copies[STAGE_MAX_FDS];
	int r;

	*s = (struct spawn){ .name = name, .options = *options };
	for (int i = 0; i < STAGE_MAX_FDS; i++)
		copies[i] = -1;
	r = lift_descriptors(s, copies, err);
	if (r == 0)
		r = spawn(s, child, err);
	for (int i = 0; i < STAGE_MAX_FDS; i++)
		cleanup_close(&copies[i]);
	return r;
}

int stage_spawn(const char *name, const struct stage_options *options, struct stage_child *child,
		struct err *err)
{
	void *memory;
	int r;

	if (options->nfds < (options->keep_mount ? 3 : 0) ||
	    options->nfds + !!options->keep_mount > STAGE_MAX_FDS)
		return err_set(err, ERR_INVALID, EINVAL, "cannot start stage %s: %d descriptors",
			       name, options->nfds);
	memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (memory == MAP_FAILED)
		return err_sys(err, errno, "cannot start stage %s", name);
	r = spawn_in(memory, name, options, child, err);
	if (r < 0 || !options->no_wait)
		(void)munmap(memory, MEMORY_BYTES);
	if (r == 0)
		child->memory = options->no_wait ? memory : NULL;
	return r;
}

void stage_heard(struct stage_child *child)
{
	if (child->memory)
		(void)munmap(child->memory, MEMORY_BYTES);
	child->memory = NULL;
}

/* The kernel has put the strings one behind the other. */
static char *end_of_strings(char **strings, char *end)
{
	for (; *strings; strings++)
		if (*strings == end)
			end += strlen(end) + 1;
	return end;
}

void stage_rename(char **argv, const char *name)
{
	char *start = argv[0];
	char *end = end_of_strings(environ, end_of_strings(argv, start));
	size_t len = strlen(name);

	(void)prctl(PR_SET_NAME, name);
	(void)clearenv();
	memset(start, 0, (size_t)(end - start));
	memcpy(start, name, len < (size_t)(end - start) ? len : (size_t)(end - start) - 1);
}

int stage_end(struct stage_child *child)
{
	int status = 0, saved = errno;

	if (child->pid <= 0)
		return 0;
	kill(child->pid, SIGKILL); /* not reaped yet: the number is still its own */
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(child->pidfd);
	stage_heard(child);
	*child = (struct stage_child){ .pidfd = -1 };
	errno = saved;
	return status;
}
