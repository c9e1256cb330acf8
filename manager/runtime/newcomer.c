/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/newcomer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "manager/runtime/await.h"
#include "manager/runtime/program.h"
#include "manager/runtime/reap.h"
#include "manager/runtime/seccomp_simulate.h"
#include "manager/runtime/tty.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define PIPE_FD 3      /* of the newcomer */
#define ERRNO_MAX 4095 /* the kernel's */
#define EXIT_FAILED 125

/* With CLONE_PARENT the signal at its end is the maker's own. */
#define FLAGS ((unsigned long)(CLONE_PARENT | CLONE_PARENT_SETTID))

/* What is left to do for the newcomer; the waiter knows the words for each. */
enum step { STEP_SESSION = 1, STEP_TERMINAL, STEP_FILTER, STEP_PROGRAM };

struct failure {
	uint32_t step;
	uint32_t num; /* errno */
};

int newcomer_open(struct newcomer *newcomer, struct err *err)
{
	/* A reader that finds nothing does not wait for whoever holds the other end. */
	if (pipe2(newcomer->failure, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	return 0;
}

void newcomer_release(struct newcomer *newcomer)
{
	cleanup_close(&newcomer->failure[0]);
	cleanup_close(&newcomer->failure[1]);
	*newcomer = (struct newcomer)NEWCOMER_INIT;
}

bool newcomer_passes(const struct seccomp_filter *filter, bool terminal)
{
	const struct {
		long number;
		uint64_t args[2];
	} calls[] = {
		{ SYS_clone, { FLAGS } },
		{ SYS_exit_group, { 0 } },
		{ SYS_setsid, { 0 } },
		{ SYS_rt_sigprocmask, { SIG_SETMASK } },
		{ SYS_execve, { 0 } },
		{ SYS_write, { PIPE_FD } },
		{ SYS_ioctl, { STDIN_FILENO, TIOCSCTTY } },
	};
	const size_t ncalls = sizeof(calls) / sizeof(calls[0]) - (terminal ? 0 : 1);

	for (size_t i = 0; i < ncalls; i++)
		if (!seccomp_allows(&filter->program, calls[i].number, calls[i].args))
			return false;
	return true;
}

/* --- the newcomer: what it does may be watched and changed at every instruction --- */

_Noreturn static void fail(enum step step, int num)
{
	const struct failure failure = { .step = step, .num = (uint32_t)num };

	(void)!write(PIPE_FD, &failure, sizeof(failure));
	_exit(EXIT_FAILED);
}

_Noreturn static void be_newcomer(const struct payload *payload, bool filtered)
{
	char *const empty[] = { NULL };
	struct err err;
	sigset_t none;

	if (setsid() < 0)
		fail(STEP_SESSION, errno);
	if (payload->process.terminal && tty_take_control(STDIN_FILENO, &err) < 0)
		fail(STEP_TERMINAL, err.num);
	if (!filtered && payload->filter && payload->process.no_new_privileges &&
	    seccomp_filter_apply(payload->filter, &err) < 0)
		fail(STEP_FILTER, err.num);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(payload->program, payload->process.args, payload->env ? payload->env : empty);
	fail(STEP_PROGRAM, errno);
}

/* --- the maker --- */

static int leave_only_the_pipe(int fd, struct err *err)
{
	if (fd != PIPE_FD && dup3(fd, PIPE_FD, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot place a descriptor");
	if (syscall(SYS_close_range, PIPE_FD + 1U, ~0U, 0) < 0)
		return err_sys(err, errno, "cannot close descriptors");
	return 0;
}

static int explain_clone(const struct payload *payload, int num, struct err *err)
{
	err_sys(err, num, "cannot make a process in the container");
	if (num == EAGAIN)
		return err_hint(err, "a limit of processes is reached: --pids-limit of the "
				     "container, or nproc of its user");
	if (payload->filter && !payload->process.no_new_privileges)
		return err_hint(err, "the container's system call filter has to allow clone, as "
				     "new privileges are allowed");
	return err_code(err);
}

_Noreturn void newcomer_make(struct newcomer *newcomer, struct payload *payload, bool filtered)
{
	struct err *err = &newcomer->err;
	long pid;

	if (leave_only_the_pipe(newcomer->failure[1], err) < 0 ||
	    (filtered && payload_filter_unprivileged(payload, err) < 0))
		_exit(EXIT_FAILED);
	/* Never with CLONE_VM: who traces the newcomer would write to our memory. */
	pid = syscall(SYS_clone, FLAGS, NULL, &newcomer->pid, NULL, NULL);
	if (pid == 0)
		be_newcomer(payload, filtered);
	if (pid < 0)
		explain_clone(payload, errno, err);
	_exit(pid < 0 ? EXIT_FAILED : 0);
}

/* --- the waiter --- */

/* What the maker made is a child of ours, so that its number is nobody else's until we reap it. */
static int take_newcomer(struct newcomer *newcomer, struct engine_process *process, struct err *err)
{
	int pidfd;

	if (newcomer->pid <= 0 && newcomer->err.kind != ERR_NONE) {
		*err = newcomer->err;
		return err_code(err);
	}
	if (newcomer->pid <= 0)
		return reap_explain(process->pidfd, "the process", err);
	pidfd = (int)syscall(SYS_pidfd_open, newcomer->pid, 0);
	if (pidfd < 0)
		return err_sys(err, errno, "cannot open process %d", (int)newcomer->pid);
	process->pid = newcomer->pid;
	process->pidfd = pidfd;
	newcomer->pid = 0;
	return 0;
}

static int explain(const struct failure *failure, const char *program, struct err *err)
{
	int num = failure->num > 0 && failure->num <= ERRNO_MAX ? (int)failure->num : EPROTO;

	switch (failure->step) {
	case STEP_SESSION:
		return err_sys(err, num, "cannot make a session");
	case STEP_TERMINAL:
		return err_sys(err, num, "cannot make it the controlling terminal");
	case STEP_FILTER:
		return err_sys(err, num, "cannot load the system call filter");
	default:
		return program_exec_failed(program, num, err);
	}
}

/* The pipe closes as the newcomer executes its program. */
static int await_program(int failure_fd, int proc_fd, const struct engine_process *process,
			 struct err *err)
{
	struct failure failure;
	ssize_t len;
	int result = await_exec_seen(process, proc_fd, failure_fd, err);

	if (result <= 0)
		return result;
	len = read(failure_fd, &failure, sizeof(failure));
	return len == sizeof(failure) ? explain(&failure, process->program, err) : 0;
}

int newcomer_await(struct newcomer *newcomer, int proc_fd, struct engine_process *process,
		   struct err *err)
{
	const int maker = process->pidfd;
	int result = take_newcomer(newcomer, process, err);

	cleanup_close(&newcomer->failure[1]);
	if (result < 0)
		return result;
	/* while the newcomer executes its program */
	reap_killed(maker);
	close(maker);
	return await_program(newcomer->failure[0], proc_fd, process, err);
}

/* By its number, as there may be no descriptor left for it: a child's is nobody else's. */
void newcomer_kill(const struct newcomer *newcomer)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	if (newcomer->pid <= 0 || kill(newcomer->pid, SIGKILL) < 0)
		return;
	/* Who traces it can keep it from being reaped, and is not waited for any longer. */
	for (int tries = 0; tries < 100 && waitpid(newcomer->pid, NULL, WNOHANG) == 0; tries++)
		nanosleep(&pause, NULL);
}
