/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/await.h"
#include "manager/runtime/cgroup.h"
#include "manager/runtime/cgroup_freeze.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/handshake.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/namespaces.h"
#include "manager/runtime/newcomer.h"
#include "manager/runtime/oom_score.h"
#include "manager/runtime/payload.h"
#include "manager/runtime/proc_file.h"
#include "manager/runtime/reap.h"
#include "store/base/cleanup.h"

#define STATUS_MAX 8192	 /* of proc_pid_status(5) */
#define CGROUPS_MAX 8192 /* of /proc/pid/cgroup, cgroups(7) */

/*
 * The process that joins a running container, in three: the caller, which stays outside; the one
 * that joins it and becomes what the program is to be; and the newcomer inside, which executes it.
 */

struct join {
	const struct spec *container;
	const struct engine_process *init;
	struct cgroup cgroup;
	struct seccomp_filter filter;
	struct newcomer newcomer;
	struct payload payload;
	int sync[2]; /* parent's end, child's end */
	int proc_fd; /* the host's: the container's shows other numbers */
	pid_t caller;
	struct engine_process process;
};

static void join_release(struct join *join)
{
	cgroup_release(&join->cgroup);
	seccomp_filter_release(&join->filter);
	newcomer_release(&join->newcomer);
	cleanup_close(&join->sync[0]);
	cleanup_close(&join->sync[1]);
	cleanup_close(&join->proc_fd);
	engine_process_release(&join->process);
}

/* None outlives its parent half made. A change of user ends that: then it is said again. */
static int depend_on_caller(void *context, struct err *err)
{
	const struct join *join = context;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot set the parent-death signal");
	if (getppid() != join->caller)
		return err_set(err, ERR_STATE, ECONNABORTED, "the parent is gone");
	return 0;
}

/*
 * Where this process sees no cgroups at all, one that joins would be outside of the container's,
 * free of its limits: what process 1 is in tells.
 */
static int expect_cgroup(const struct cgroup *cgroup, const char *path, int proc_fd, pid_t init,
			 struct err *err)
{
	AUTO_FREE char *line = NULL;
	char text[CGROUPS_MAX + 1];
	ssize_t len;

	if (cgroup->v2_fd >= 0 || cgroup->v1_fds[0] >= 0)
		return 0;
	len = proc_file_read(proc_fd, init, "cgroup", text, sizeof(text));
	if (len < 0)
		return err_sys(err, (int)-len, "cannot read /proc/%d/cgroup", (int)init);
	if (asprintf(&line, "%s\n", path) < 0) {
		line = NULL;
		return err_sys(err, ENOMEM, "cannot look for the container's cgroup");
	}
	if (!strstr(text, line))
		return 0;
	err_set(err, ERR_UNSUPPORTED, ENOENT, "its cgroup %s cannot be reached from here", path);
	return err_hint(err, "is /sys/fs/cgroup mounted?");
}

/* The descriptors that this opens are the child's: the parent's memory does not have them. */
static int enter_cgroups(void *context, struct err *err)
{
	struct join *join = context;
	const char *path = join->container->cgroups_path;
	struct cgroup cgroup = join->cgroup;
	int result = cgroup_open_v1(&cgroup, path, err);

	if (result == 0)
		result = expect_cgroup(&cgroup, path, join->proc_fd, join->init->pid, err);
	/* a v1 group is there for a limit */
	if (result == 0 && cgroup.v1_fds[0] >= 0)
		result = payload_ask_permission(&join->payload, err);
	if (result == 0)
		result = cgroup_attach(&cgroup, getpid(), err);
	if (result == 0)
		result = oom_score_apply(join->proc_fd, getpid(), &join->payload.process, err);
	return result;
}

/* All at once: the cgroup one can be joined from within the group only (cgroup_namespaces(7)). */
static int join_namespaces(void *context, struct err *err)
{
	const struct join *join = context;

	return namespaces_join(join->container->namespaces, join->init->pidfd, err);
}

static int open_stdio(void *context, struct err *err)
{
	struct join *join = context;

	join->payload.root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (join->payload.root_fd < 0)
		return err_sys(err, errno, "cannot open / of the container");
	/* it is in its PID namespace no more than its parent: the container's shows it not */
	join->payload.proc_fd = join->proc_fd;
	return payload_open_stdio(&join->payload, err);
}

/* Close all descriptors above 2 but those in keep[nkeep]. */
static int close_others(int *keep, int nkeep)
{
	unsigned first = STDERR_FILENO + 1;

	for (int done = 0; done < nkeep; done++) {
		int next = done;

		for (int i = done + 1; i < nkeep; i++)
			if (keep[i] < keep[next])
				next = i;
		if ((unsigned)keep[next] > first &&
		    syscall(SYS_close_range, first, (unsigned)keep[next] - 1, 0) < 0)
			return -errno;
		first = (unsigned)keep[next] + 1;
		keep[next] = keep[done];
	}
	return syscall(SYS_close_range, first, ~0U, 0) < 0 ? -errno : 0;
}

/*
 * What is left of the host: from a directory of it, "/proc/self/fd/N/../.." in the command or in a
 * symlink of the container's would lead to any program of the host's, and close-on-exec comes too
 * late for that (the CVE-2024-21626 class).
 */
static int let_go_of_host(void *context, struct err *err)
{
	const struct join *join = context;
	int keep[] = { join->payload.sync_fd, join->payload.root_fd, join->newcomer.failure[1],
		       join->payload.permission.fd };
	int nkeep = join->payload.permission.ask ? 4 : 3;
	int result = close_others(keep, nkeep);

	return result < 0 ? err_sys(err, -result, "cannot close descriptors") : 0;
}

/* A filter that would not even let it make the newcomer is loaded by that. */
static int bring_in(void *context, struct err *err)
{
	struct join *join = context;
	const struct payload *payload = &join->payload;
	bool filtered = payload->filter && payload->process.no_new_privileges &&
			newcomer_passes(payload->filter, payload->process.terminal);

	(void)err;
	newcomer_make(&join->newcomer, &join->payload, filtered);
}

static const struct phase phases[] = {
	{ "caller", .own = depend_on_caller },
	{ "control groups", .own = enter_cgroups },
	{ "namespaces", .own = join_namespaces },
	{ "standard streams", .own = open_stdio },
	{ "descriptors", .own = let_go_of_host },
	{ "working directory", .step = payload_enter_directory },
	{ "limits", .step = payload_limit },
	{ "seccomp, privileged", .step = payload_filter_privileged },
	{ "user", .step = payload_find_user },
	{ "credentials", .step = payload_apply_credentials },
	{ "still the caller", .own = depend_on_caller },
	{ "program", .step = payload_resolve_program },
	{ "permission", .step = payload_ask_permission },
	{ "ready", .step = payload_tell_ready },
	{ "newcomer", .own = bring_in },
};

/*
 * What process 1 may never have, its spec does not give to others either: some of it may have been
 * withheld at the start.
 */
static int limit_capabilities(int proc_fd, pid_t init, struct spec_capabilities *capabilities,
			      struct err *err)
{
	char text[STATUS_MAX + 1];
	const char *line;
	uint64_t bounding;
	ssize_t len = proc_file_read(proc_fd, init, "status", text, sizeof(text));

	if (len < 0)
		return err_sys(err, (int)-len, "cannot read /proc/%d/status", (int)init);
	line = strstr(text, "\nCapBnd:");
	if (!line)
		return err_set(err, ERR_INVALID, EINVAL, "cannot make sense of /proc/%d/status",
			       (int)init);
	bounding = strtoull(line + strlen("\nCapBnd:"), NULL, 16);
	capabilities->bounding &= bounding;
	capabilities->permitted &= bounding;
	capabilities->effective &= bounding;
	capabilities->inheritable &= bounding;
	capabilities->ambient &= bounding;
	return 0;
}

static int be_maker(void *context)
{
	struct join *join = context;

	/* The others are so from the start of a stage. */
	(void)signal(SIGXFSZ, SIG_DFL);
	umask(0);
	close(join->sync[0]);
	payload_run(phases, &join->payload, join);
}

/* It has ended when this returns, and what it had to say is waiting. */
static int run_maker(struct join *join, struct err *err)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = namespaces_call(join->cgroup.v2_fd, be_maker, join, &join->process.pidfd, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return (int)pid;
	join->process.pid = pid;
	join->process.sync_fd = STEAL_FD(join->sync[0]);
	cleanup_close(&join->sync[1]);
	return 0;
}

/*
 * A process that is born in a frozen group stands still, whatever becomes of the guess; and where
 * there is a limit, it may be the one that another one could not make.
 */
static bool is_felt(const struct cgroup *cgroup, const char *path)
{
	struct err ignored = ERR_INIT;
	bool frozen = false;

	return cgroup->v2_fd >= 0 && (cgroup_is_frozen(cgroup->v2_fd, &frozen, &ignored) < 0 ||
				      frozen || cgroup_limits_processes(cgroup->v2_fd, path));
}

static int start_process(struct join *join, struct err *err)
{
	int result = run_maker(join, err);

	/* While the newcomer, which has copies, executes its program. */
	cgroup_release(&join->cgroup);
	seccomp_filter_release(&join->filter);
	if (result == 0)
		result = await_ready(&join->process, join->payload.process.terminal, "the process",
				     err);
	if (result == 0)
		result = newcomer_await(&join->newcomer, join->proc_fd, &join->process, err);
	return result;
}

static int open_channels(struct join *join, struct err *err)
{
	int result = identity_open_proc(&join->proc_fd, err);

	if (result == 0)
		result = handshake_open(join->sync, err);
	if (result == 0)
		result = newcomer_open(&join->newcomer, err);
	return result;
}

int engine_exec(const struct engine_exec_request *request, struct engine_process *out,
		struct err *err)
{
	const struct spec *container = request->container;
	struct join join = {
		.container = container,
		.init = request->init,
		.cgroup = CGROUP_INIT,
		.filter = SECCOMP_FILTER_INIT,
		.newcomer = NEWCOMER_INIT,
		.sync = { -1, -1 },
		.proc_fd = -1,
		.caller = getpid(),
		.process = ENGINE_PROCESS_INIT,
	};
	int result = cgroup_open(container->cgroups_path, &join.cgroup, err);

	if (result == 0)
		result = seccomp_filter_choose(request->cache_fd, container,
					       request->process->capabilities.bounding,
					       &join.filter, err);
	if (result == 0)
		result = open_channels(&join, err);
	/* Who may not trace others (CAP_SYS_PTRACE) does not get at the newcomer at all. */
	if (result == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		result = err_sys(err, errno, "cannot protect the process");
	payload_begin(&join.payload, request->process, request->stdio,
		      join.filter.program.filter ? &join.filter : NULL, join.sync[1]);
	if (result == 0 && !request->privileged)
		result = limit_capabilities(join.proc_fd, request->init->pid,
					    &join.payload.process.capabilities, err);
	join.payload.permission = request->permission;
	if (result == 0 && is_felt(&join.cgroup, container->cgroups_path))
		result = payload_ask_permission(&join.payload, err);
	if (result == 0)
		result = start_process(&join, err);
	if (result < 0) {
		reap_killed(join.process.pidfd);
		newcomer_kill(&join.newcomer);
	} else {
		cleanup_close(&join.process.sync_fd);
		*out = join.process;
		join.process = (struct engine_process)ENGINE_PROCESS_INIT;
	}
	join_release(&join);
	return result;
}
