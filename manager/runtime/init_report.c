/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/init_report.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>

#include "store/base/fd.h"

/*
 * Until there is something to read. A process that others can trace may have its end of the pipe
 * held open by them: when it has ended, what it has written is there, and nothing else will come.
 */
static int await(int fd, int pidfd, bool *ended, struct err *err)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};

	for (int timeout = -1;;) {
		int n = poll(fds, 2, timeout);

		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for what ctinit reports");
		if (n >= 0 && fds[0].revents) {
			*ended = false;
			return 0;
		}
		if (n >= 0 && timeout == 0) {
			*ended = true;
			return 0;
		}
		if (n >= 0 && fds[1].revents) {
			fds[1].fd = -1;
			timeout = 0;
		}
	}
}

int init_report_read(int fd, int pidfd, struct ctinit_report *out, struct err *err)
{
	struct ctinit_report report;
	bool ended;
	ssize_t len;
	int result = await(fd, pidfd, &ended, err);

	if (result < 0)
		return result;
	len = ended ? 0 : fd_read_all(fd, &report, sizeof(report));
	if (len < 0)
		return err_sys(err, (int)-len, "cannot read what ctinit reports");
	if (len == 0)
		return 0;
	if (len != sizeof(report) || report.magic != CTINIT_REPORT_MAGIC ||
	    report.version != CTINIT_REPORT_VERSION)
		return err_set(err, ERR_INVALID, EBADMSG, "malformed report of ctinit");
	*out = report;
	return 1;
}
