/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stage_report.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

int stage_report_open(const char *stage, const void *job, size_t len, int *ours, int *theirs,
		      struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "cannot talk to the %s stage", stage);
	*ours = pair[0];
	*theirs = pair[1];
	if (send(*ours, job, len, MSG_NOSIGNAL) != (ssize_t)len)
		return err_sys(err, errno, "cannot talk to the %s stage", stage);
	return 0;
}

/* `status` as waitpid(2) has it. */
static int died(const char *stage, int status, struct err *err)
{
	int signal = WTERMSIG(status);

	if (!WIFSIGNALED(status))
		return err_set(err, ERR_SYS, EIO, "the %s stage ended with status %d and no report",
			       stage, WEXITSTATUS(status));
	err_set(err, ERR_SYS, signal == SIGPIPE ? EPIPE : EIO,
		"the %s stage was killed by signal %d (%s)", stage, signal, strsignal(signal));
	return signal == SIGKILL ? err_hint(err, "is there enough memory?") : err_code(err);
}

int stage_report_take(const char *stage, int fd, struct stage_child *child, void *report,
		      size_t size, struct err *err)
{
	ssize_t n;
	int status;

	do
		n = recv(fd, report, size, 0);
	while (n < 0 && errno == EINTR);
	status = stage_end(child);
	return n == (ssize_t)size ? 0 : died(stage, status, err);
}
