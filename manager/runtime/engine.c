/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/engine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/await.h"
#include "manager/runtime/cgroup.h"
#include "manager/runtime/handshake.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/init_report.h"
#include "manager/runtime/launched.h"
#include "manager/runtime/program.h"
#include "manager/runtime/reap.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"

void engine_process_release(struct engine_process *process)
{
	cleanup_close(&process->pidfd);
	cleanup_close(&process->console_fd);
	cleanup_close(&process->eof_console_fd);
	cleanup_close(&process->sync_fd);
	cleanup_close(&process->report_fd);
	cleanup_free(&process->program);
	*process = (struct engine_process)ENGINE_PROCESS_INIT;
}

static int await_init(const struct engine_process *process, struct err *err)
{
	struct ctinit_report report;
	/* Others may hold it where it was launched among them. */
	int got = init_report_read(process->report_fd, process->pidfd,
				   process->launched ? ENGINE_SETUP_MS : -1, &report, err);

	if (got < 0)
		return got;
	if (got == 0)
		return reap_explain(process->pidfd, "ctinit", err);
	switch (report.type) {
	case CTINIT_EXEC_OK:
		return 0;
	case CTINIT_EXEC_FAILED:
		return program_exec_failed(process->program, report.value, err);
	default:
		return err_sys(err, report.value > 0 ? report.value : EINVAL,
			       "cannot make a process for \"%s\"", process->program);
	}
}

/*
 * A payload that is /proc/self/exe, or a script of it, without ctinit, is the caller's own binary.
 * Nobody can write to it by that name, but neither is it what was meant.
 */
static int refuse_own_program(const struct engine_process *process, struct err *err)
{
	AUTO_CLOSE int proc_fd = -1;
	bool own = false;
	int result = identity_open_proc(&proc_fd, err);

	if (result == 0)
		result = identity_runs_own_program(proc_fd, process->pid, &own, err);
	if (result == 0 && own)
		result = err_set(err, ERR_NO_EXEC, EACCES,
				 "cannot execute \"%s\": it leads to the program that makes "
				 "containers",
				 process->program);
	return result;
}

int engine_start(struct engine_process *process, struct err *err)
{
	int result = 0;

	if (!process->gate_open)
		result = handshake_send(process->sync_fd, MESSAGE_START, -1, err);
	if (result == -EPIPE)
		result = reap_explain(process->pidfd, "the container's first process", err);
	if (result == 0 && !process->launched)
		result = await_exec(process, err);
	if (result == 0 && process->init)
		result = await_init(process, err);
	else if (result == 0 && process->launched)
		result = launched_await_program(process, err);
	else if (result == 0)
		result = refuse_own_program(process, err);
	if (result < 0)
		reap_killed(process->pidfd);
	cleanup_close(&process->sync_fd);
	if (!process->init)
		cleanup_close(&process->report_fd);
	return result;
}

int engine_wait(struct engine_process *process, int *wait_status, struct err *err)
{
	struct ctinit_report report = { 0 };
	bool reported = false;
	int got = 1, result, status;

	while (process->report_fd >= 0 && !reported && got > 0) {
		struct err malformed = ERR_INIT;

		/* By whoever traces it: as good as nothing. */
		got = init_report_read(process->report_fd, process->pidfd, -1, &report, &malformed);
		reported = got > 0 && report.type == CTINIT_EXIT;
	}
	/*
	 * reap it even if ctinit has told more than waitid(2) does; after an adoption it is not
	 * ours, and then a ctinit that has told nothing was killed: process 1 of a namespace dies
	 * of no other signal (pid_namespaces(7))
	 */
	result = reap_wait(process->pidfd, &status, err);
	if (result == -ECHILD && process->report_fd >= 0) {
		*err = (struct err)ERR_INIT;
		status = SIGKILL;
		result = 0;
	}
	if (result < 0)
		return result;
	*wait_status = reported ? report.value : status;
	return 0;
}

int engine_cleanup(const struct spec *spec, struct err *err)
{
	return spec->cgroups_path ? cgroup_destroy(spec->cgroups_path, err) : 0;
}

int engine_kill(const struct engine_process *process, int signal, struct err *err)
{
	if (syscall(SYS_pidfd_send_signal, process->pidfd, signal, NULL, 0) == 0)
		return 0;
	if (errno == ESRCH)
		return err_set(err, ERR_STATE, ESRCH, "the process has ended");
	return err_sys(err, errno, "cannot send signal %d", signal);
}

int engine_open(pid_t pid, uint64_t start_time, struct engine_process *out, struct err *err)
{
	AUTO_CLOSE int proc_fd = -1;
	AUTO_CLOSE int pidfd = -1;
	struct identity_found found;
	int result = identity_open_proc(&proc_fd, err);

	if (result < 0)
		return result;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 && errno == ESRCH)
		return err_set(err, ERR_STATE, ESRCH, "process %d is gone", (int)pid);
	if (pidfd < 0)
		return err_sys(err, errno, "cannot open process %d", (int)pid);
	/*
	 * read after the pidfd was opened: if it is the right one now, the pidfd is of the right
	 * one
	 */
	result = identity_find(proc_fd, pid, &found, err);
	if (result < 0)
		return result;
	if (found.start_time != start_time)
		return err_set(err, ERR_STATE, ESRCH, "process %d is another one by now", (int)pid);
	out->pid = pid;
	out->start_time = start_time;
	out->is_set_up = found.has_executed;
	out->pidfd = STEAL_FD(pidfd);
	return 0;
}

int engine_await_setup(const struct engine_process *init, struct err *err)
{
	const int64_t deadline = clock_monotonic_ns() + ENGINE_SETUP_MS * NS_PER_MS;
	struct pollfd end = { .fd = init->pidfd, .events = POLLIN };
	AUTO_CLOSE int proc_fd = -1;
	struct identity_found found = { .has_executed = init->is_set_up };
	int pause_ms = 1;
	int result = found.has_executed ? 0 : identity_open_proc(&proc_fd, err);

	while (result == 0 && !found.has_executed) {
		result = identity_find(proc_fd, init->pid, &found, err);
		if (result < 0 || found.has_executed)
			break;
		if (clock_monotonic_ns() > deadline)
			return err_set(err, ERR_STATE, EBUSY, "it is still being started");
		if (poll(&end, 1, pause_ms) > 0)
			return err_set(err, ERR_STATE, ESRCH, "process %d has ended",
				       (int)init->pid);
		if (pause_ms < 16)
			pause_ms *= 2;
	}
	return result;
}
