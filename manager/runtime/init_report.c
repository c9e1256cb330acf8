/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/init_report.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/*
 * Until there is something to read: 1, or 0 when there will be nothing. A process that others can
 * trace may have its end of the pipe held open by them: when it has ended, what it has written is
 * there, and nothing else will come.
 */
static int await(int fd, int pidfd, int timeout_ms, struct err *err)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};

	for (;;) {
		int n = poll(fds, 2, timeout_ms);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot wait for what ctinit reports");
		if (fds[0].revents)
			return 1;
		if (n == 0 && fds[1].fd < 0)
			return 0;
		if (n == 0)
			return err_set(
				err, ERR_STATE, ETIMEDOUT,
				"ctinit does not report: a process may hold it by ptrace(2)");
		fds[1].fd = -1;
		timeout_ms = 0;
	}
}

int init_report_read(int fd, int pidfd, int timeout_ms, struct ctinit_report *out, struct err *err)
{
	struct ctinit_report report;
	ssize_t len;
	int result = await(fd, pidfd, timeout_ms, err);

	if (result <= 0)
		return result;
	/* A record is written at once, and so is there at once: less is none (pipe(7)). */
	do {
		len = read(fd, &report, sizeof(report));
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return err_sys(err, errno, "cannot read what ctinit reports");
	if (len == 0)
		return 0;
	if (len != sizeof(report) || report.magic != CTINIT_REPORT_MAGIC ||
	    report.version != CTINIT_REPORT_VERSION)
		return err_set(err, ERR_INVALID, EBADMSG, "malformed report of ctinit");
	*out = report;
	return 1;
}
