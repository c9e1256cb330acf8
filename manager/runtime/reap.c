/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/reap.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

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

int reap_wait(int pidfd, int *wait_status, struct err *err)
{
	siginfo_t info = { 0 };
	int result;

	do {
		result = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED);
	} while (result < 0 && errno == EINTR);
	if (result < 0 && errno == ECHILD)
		return err_set(err, ERR_STATE, ECHILD, "its exit status went to another process");
	if (result < 0)
		return err_sys(err, errno, "cannot wait for the process");
	*wait_status = encode(&info);
	return 0;
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
	(void)reap_wait(pidfd, &status, &ignored);
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
