/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/launched.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/identity.h"
#include "manager/runtime/init_report.h"
#include "manager/runtime/program.h"
#include "manager/runtime/reap.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"

#define LOOK_AGAIN_MS 100

static int explain_none(int num, struct err *err)
{
	err_sys(err, num, "cannot make a process in the PID namespace that is joined");
	if (num == EAGAIN)
		return err_hint(err, "a limit of processes is reached: --pids-limit, or nproc of "
				     "its user");
	return err_hint(err, "process 1 of that PID namespace may have ended");
}

/* Our children are the builder and what it has launched, and only the second one is meant. */
static int open_child(pid_t pid, pid_t builder, int *out, struct err *err)
{
	AUTO_CLOSE int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (pidfd < 0 || pid == builder || !reap_is_child(pidfd))
		return err_set(err, ERR_INVALID, EBADMSG,
			       "process %d, which ctinit is said to have made, is not of the "
			       "container",
			       (int)pid);
	*out = STEAL_FD(pidfd);
	return 0;
}

int launched_take(int proc_fd, struct engine_process *process, struct err *err)
{
	struct ctinit_report report;
	int status, pidfd;
	int result = init_report_read(process->report_fd, process->pidfd, -1, &report, err);

	if (result < 0)
		return result;
	if (result == 0)
		return reap_explain(process->pidfd, "ctinit", err);
	if (report.type == CTINIT_SPAWN_FAILED)
		return explain_none(report.value > 0 ? report.value : EINVAL, err);
	if (report.type != CTINIT_LAUNCHED)
		return err_set(err, ERR_INVALID, EBADMSG, "unexpected report %u of ctinit",
			       (unsigned)report.type);
	result = open_child(report.pid, process->pid, &pidfd, err);
	if (result < 0)
		return result;
	result = reap_wait(process->pidfd, &status, err);
	close(process->pidfd);
	process->pid = report.pid;
	process->pidfd = pidfd;
	if (result < 0)
		return result;
	result = identity_start_time(proc_fd, process->pid, &process->start_time, err);
	return result == -ESRCH ? reap_explain(pidfd, "the container's first process", err) :
				  result;
}

int launched_await_program(const struct engine_process *process, struct err *err)
{
	const int64_t deadline = clock_monotonic_ns() + ENGINE_SETUP_MS * INT64_C(1000000);
	AUTO_CLOSE int proc_fd = -1;
	struct ctinit_report report;
	struct err gone = ERR_INIT;
	bool executed = false;
	int result = identity_open_proc(&proc_fd, err);

	/* The pipe closes as the program is executed, unless somebody inside has a copy of it. */
	while (result == 0) {
		struct pollfd fds[2] = {
			{ .fd = process->report_fd, .events = POLLIN },
			{ .fd = process->pidfd, .events = POLLIN },
		};

		result = poll(fds, 2, LOOK_AGAIN_MS);
		if (result < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for the process");
		if (result < 0)
			result = 0;
		if (result == 0 &&
		    (identity_has_executed(proc_fd, process->pid, &executed, &gone) < 0 ||
		     executed))
			return 0;
		if (result == 0 && clock_monotonic_ns() > deadline)
			return err_set(err, ERR_STATE, ETIMEDOUT,
				       "\"%s\" is not executed: a process may hold it by ptrace(2)",
				       process->program);
	}
	if (result < 0)
		return result;
	result = init_report_read(process->report_fd, process->pidfd, 0, &report, err);
	if (result <= 0)
		return result;
	return program_exec_failed(process->program, report.value > 0 ? report.value : EPROTO, err);
}
