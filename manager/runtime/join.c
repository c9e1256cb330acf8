/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/await.h"
#include "manager/runtime/cgroup.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/handshake.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/namespaces.h"
#include "manager/runtime/oom_score.h"
#include "manager/runtime/payload.h"
#include "manager/runtime/reap.h"
#include "manager/runtime/tty.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define STATUS_MAX 8192	 /* of proc_pid_status(5) */
#define CGROUPS_MAX 8192 /* of /proc/pid/cgroup, cgroups(7) */

/* The process that joins a running container: its parent's side first, then its own way in. */

struct joiner {
	const struct spec *container;
	int init_pidfd;
	struct payload payload;
};

struct join {
	struct cgroup cgroup;
	struct seccomp_filter filter;
	int sync[2]; /* parent's end, child's end */
	int proc_fd; /* the host's: the container's shows other numbers */
	struct engine_process process;
};

static void join_release(struct join *join)
{
	cgroup_release(&join->cgroup);
	seccomp_filter_release(&join->filter);
	cleanup_close(&join->sync[0]);
	cleanup_close(&join->sync[1]);
	cleanup_close(&join->proc_fd);
	engine_process_release(&join->process);
}

/* Only now, from within the group: the kernel refuses to move in by clone3(2) from another one. */
static int join_cgroup_namespace(void *context, struct err *err)
{
	const struct joiner *joiner = context;

	return namespaces_join(joiner->container->namespaces & SPEC_NS_CGROUP, joiner->init_pidfd,
			       err);
}

static int open_stdio(void *context, struct err *err)
{
	struct joiner *joiner = context;
	int result;

	joiner->payload.root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (joiner->payload.root_fd < 0)
		return err_sys(err, errno, "cannot open / of the container");
	result = payload_open_stdio(&joiner->payload, err);
	if (result == 0 && joiner->payload.process.terminal)
		result = tty_take_control(STDIN_FILENO, err);
	return result;
}

static int close_between(int low, int high)
{
	return high - low < 2 ||
	       syscall(SYS_close_range, (unsigned)low + 1, (unsigned)high - 1, 0) == 0;
}

/*
 * What is left of the host: from a directory of it, "/proc/self/fd/N/../.." in the command or in a
 * symlink of the container's would lead to any program of the host's, and close-on-exec comes too
 * late for that (the CVE-2024-21626 class).
 */
static int let_go_of_host(void *context, struct err *err)
{
	const struct payload *payload = &((struct joiner *)context)->payload;
	int low = payload->sync_fd < payload->root_fd ? payload->sync_fd : payload->root_fd;
	int high = payload->sync_fd < payload->root_fd ? payload->root_fd : payload->sync_fd;

	if (!close_between(STDERR_FILENO, low) || !close_between(low, high) ||
	    syscall(SYS_close_range, (unsigned)high + 1, ~0U, 0) < 0)
		return err_sys(err, errno, "cannot close descriptors");
	return 0;
}

static const struct phase phases[] = {
	{ "signals", .step = payload_reset_signals },
	{ "session", .step = payload_detach },
	{ "await parent", .step = payload_await_parent },
	{ "cgroup namespace", .own = join_cgroup_namespace },
	{ "standard streams", .own = open_stdio },
	{ "descriptors", .own = let_go_of_host },
	{ "working directory", .step = payload_enter_directory },
	{ "limits", .step = payload_limit },
	{ "seccomp, privileged", .step = payload_filter_privileged },
	{ "user", .step = payload_find_user },
	{ "credentials", .step = payload_apply_credentials },
	{ "program", .step = payload_resolve_program },
	{ "ready", .step = payload_tell_ready },
	{ "seccomp", .step = payload_filter_unprivileged },
	{ "exec", .step = payload_execute },
};

/*
 * What process 1 may never have, its spec does not give to others either: some of it may have been
 * withheld at the start.
 */
static int limit_capabilities(int proc_fd, pid_t init, struct spec_capabilities *capabilities,
			      struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char text[STATUS_MAX + 1];
	char path[32];
	const char *line;
	uint64_t bounding;
	ssize_t len;

	snprintf(path, sizeof(path), "%d/status", (int)init);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -errno : fd_read_all(fd, text, STATUS_MAX);
	if (len < 0)
		return err_sys(err, (int)-len, "cannot read /proc/%s", path);
	text[len] = '\0';
	line = strstr(text, "\nCapBnd:");
	if (!line)
		return err_set(err, ERR_INVALID, EINVAL, "cannot make sense of /proc/%s", path);
	bounding = strtoull(line + strlen("\nCapBnd:"), NULL, 16);
	capabilities->bounding &= bounding;
	capabilities->permitted &= bounding;
	capabilities->effective &= bounding;
	capabilities->inheritable &= bounding;
	capabilities->ambient &= bounding;
	return 0;
}

/*
 * Where this process sees no cgroups at all, one that joins would be outside of the container's,
 * free of its limits: what process 1 is in tells.
 */
static int expect_cgroup(const struct cgroup *cgroup, const char *path, int proc_fd, pid_t init,
			 struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *line = NULL;
	char text[CGROUPS_MAX + 1], file[32];
	ssize_t len;

	if (cgroup->v2_fd >= 0 || cgroup->v1_fds[0] >= 0)
		return 0;
	snprintf(file, sizeof(file), "%d/cgroup", (int)init);
	fd = openat(proc_fd, file, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -errno : fd_read_all(fd, text, CGROUPS_MAX);
	if (len < 0)
		return err_sys(err, (int)-len, "cannot read /proc/%s", file);
	text[len] = '\0';
	if (asprintf(&line, "%s\n", path) < 0) {
		line = NULL;
		return err_sys(err, ENOMEM, "cannot look for the container's cgroup");
	}
	if (!strstr(text, line))
		return 0;
	err_set(err, ERR_UNSUPPORTED, ENOENT, "its cgroup %s cannot be reached from here", path);
	return err_hint(err, "is /sys/fs/cgroup mounted?");
}

static int fork_joiner(struct joiner *joiner, struct join *join, struct err *err)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = namespaces_fork(0, -1, join->cgroup.v2_fd, &join->process.pidfd, err);
	if (pid == 0) {
		close(join->sync[0]);
		payload_run(phases, &joiner->payload, joiner);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return (int)pid;
	join->process.pid = pid;
	join->process.sync_fd = STEAL_FD(join->sync[0]);
	cleanup_close(&join->sync[1]);
	join->sync[1] = -1;
	return 0;
}

static int start_joiner(const struct spec *container, const struct engine_process *init,
			struct joiner *joiner, struct join *join, struct err *err)
{
	int result = namespaces_join(container->namespaces & ~(unsigned)SPEC_NS_CGROUP, init->pidfd,
				     err);

	if (result == 0)
		result = fork_joiner(joiner, join, err);
	if (result == 0)
		result = cgroup_open_v1(&join->cgroup, container->cgroups_path, err);
	if (result == 0)
		result = expect_cgroup(&join->cgroup, container->cgroups_path, join->proc_fd,
				       init->pid, err);
	if (result == 0)
		result = cgroup_attach(&join->cgroup, join->process.pid, err);
	if (result == 0)
		result = oom_score_apply(join->proc_fd, join->process.pid, &joiner->payload.process,
					 err);
	if (result == 0)
		result = identity_start_time(join->proc_fd, join->process.pid,
					     &join->process.start_time, err);
	if (result == 0)
		result = handshake_send(join->process.sync_fd, MESSAGE_PROCEED, -1, err);
	if (result == 0)
		result = await_ready(&join->process, joiner->payload.process.terminal,
				     "the process", err);
	if (result == 0)
		result = await_exec(&join->process, err);
	return result;
}

int engine_exec(const struct spec *container, const struct engine_process *init,
		const struct spec_process *process, const struct engine_stdio *stdio,
		bool privileged, int cache_fd, struct engine_process *out, struct err *err)
{
	struct join join = {
		.cgroup = CGROUP_INIT,
		.filter = SECCOMP_FILTER_INIT,
		.sync = { -1, -1 },
		.proc_fd = -1,
		.process = ENGINE_PROCESS_INIT,
	};
	struct joiner joiner = { .container = container, .init_pidfd = init->pidfd };
	int result = cgroup_open(container->cgroups_path, &join.cgroup, err);

	if (result == 0)
		result = seccomp_filter_choose(cache_fd, container, process->capabilities.bounding,
					       &join.filter, err);
	if (result == 0)
		result = identity_open_proc(&join.proc_fd, err);
	if (result == 0)
		result = handshake_open(join.sync, err);
	if (result == 0) {
		/*
		 * programs in the container may neither trace the newcomer nor look at its
		 * descriptors
		 */
		if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
			result = err_sys(err, errno, "cannot protect the process");
		payload_begin(&joiner.payload, process, stdio,
			      join.filter.program.filter ? &join.filter : NULL, join.sync[1]);
	}
	if (result == 0 && !privileged)
		result = limit_capabilities(join.proc_fd, init->pid,
					    &joiner.payload.process.capabilities, err);
	if (result == 0)
		result = start_joiner(container, init, &joiner, &join, err);
	if (result < 0) {
		reap_killed(join.process.pidfd);
	} else {
		cleanup_close(&join.process.sync_fd);
		join.process.sync_fd = -1;
		*out = join.process;
		join.process = (struct engine_process)ENGINE_PROCESS_INIT;
	}
	join_release(&join);
	return result;
}
