/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/launched.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/await.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/init_report.h"
#include "manager/runtime/process_family.h"
#include "manager/runtime/program.h"
#include "manager/runtime/reap.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"

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

void launched_end(int ns_fd)
{
	AUTO_CGROUP_MEMBERS struct cgroup_members children = CGROUP_MEMBERS_INIT;
	AUTO_CLOSE int proc_fd = -1;
	struct err err = ERR_INIT;
	int result = identity_open_proc(&proc_fd, &err);

	if (result == 0)
		result = process_family_children_in(proc_fd, ns_fd, &children, &err);
	if (result < 0)
		log_debug("%s", err.text);
	for (size_t i = 0; i < children.count; i++) {
		AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, children.pids[i], 0);

		reap_killed(pidfd);
	}
}

int launched_await_program(const struct engine_process *process, struct err *err)
{
	AUTO_CLOSE int proc_fd = -1;
	struct ctinit_report report;
	int result = identity_open_proc(&proc_fd, err);

	/* The pipe of the reports closes as the program is executed. */
	if (result == 0)
		result = await_exec_seen(process, proc_fd, process->report_fd, err);
	if (result > 0)
		result = init_report_read(process->report_fd, process->pidfd, 0, &report, err);
	if (result <= 0)
		return result;
	return program_exec_failed(process->program, report.value > 0 ? report.value : EPROTO, err);
}
