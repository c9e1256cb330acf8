/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/reap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "manager/runtime/identity.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define TRACER_TRIES 10 /* of 10 ms: it may be about to let it go */
#define TRACER_PAUSE_NS 10000000L
#define KILL_PATIENCE_MS 10000

static int encode(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	default:
		return info->si_status;
	}
}

/* 1 when it has ended, 0 when it has not in that time (-1: none). */
static int await_end(int pidfd, int timeout_ms, struct err *err)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	int result;

	do {
		result = poll(&end, 1, timeout_ms);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? err_sys(err, errno, "cannot wait for the process") : result;
}

/* Its number is nobody else's as long as it is not reaped. */
static int look_at_end(int pidfd, int *wait_status, struct err *err)
{
	AUTO_CLOSE int proc_fd = -1;
	pid_t pid = -1;
	int result = identity_open_proc(&proc_fd, err);

	if (result == 0)
		result = identity_of_pidfd(proc_fd, pidfd, &pid, err);
	return result < 0 ? result : identity_end_status(proc_fd, pid, wait_status, err);
}

/* Of one that has ended. */
static int take_end(int pidfd, int *wait_status, struct err *err)
{
	const struct timespec pause = { .tv_nsec = TRACER_PAUSE_NS };

	for (int tries = 0; tries < TRACER_TRIES; tries++) {
		siginfo_t info = { 0 };

		if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0)
			return errno == ECHILD ?
				       err_set(err, ERR_STATE, ECHILD,
					       "its exit status went to another process") :
				       err_sys(err, errno, "cannot wait for the process");
		if (info.si_pid != 0) {
			*wait_status = encode(&info);
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	return look_at_end(pidfd, wait_status, err);
}

int reap_wait(int pidfd, int *wait_status, struct err *err)
{
	int result = await_end(pidfd, -1, err);

	return result < 0 ? result : take_end(pidfd, wait_status, err);
}

bool reap_is_child(int pidfd)
{
	siginfo_t info;

	return waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void reap_killed(int pidfd)
{
	struct err ignored;
	int status;

	if (pidfd < 0)
		return;
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	if (await_end(pidfd, KILL_PATIENCE_MS, &ignored) > 0)
		(void)take_end(pidfd, &status, &ignored);
}

int reap_explain(int pidfd, const char *who, struct err *err)
{
	int status = 0;
	int result = reap_wait(pidfd, &status, err);

	if (result < 0)
		return result;
	if (!WIFSIGNALED(status))
		return err_set(err, ERR_STATE, ECONNABORTED, "%s ended too early, with status %d",
			       who, WEXITSTATUS(status));
	err_set(err, ERR_STATE, ECONNABORTED,
		"%s was killed by signal %d (%s) before it could start", who, WTERMSIG(status),
		strsignal(WTERMSIG(status)));
	if (WTERMSIG(status) == SIGKILL)
		err_hint(err, "is its memory limit too small?");
	return err_code(err);
}
