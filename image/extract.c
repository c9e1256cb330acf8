/* SPDX-License-Identifier: Apache-2.0 */
#include "image/extract.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image/unpack_stage.h"
#include "store/base/cleanup.h"

void extract_abort(struct extract *extract)
{
	cleanup_close(&extract->report_fd);
	stage_end(&extract->stage);
	*extract = (struct extract)EXTRACT_INIT;
}

int extract_start(struct extract *extract, const struct unpack_job *job, int archive_fd,
		  int mount_fd, struct err *err)
{
	int reports[2];
	int fds[UNPACK_NFDS] = {
		[UNPACK_FD_MERGED] = archive_fd, -1, -1, -1, mount_fd, -1, -1, -1,
	};
	const struct stage_options options = {
		.fds = fds,
		.nfds = UNPACK_NFDS,
		.parent_death_signal = SIGKILL,
	};
	AUTO_CLOSE int report = -1;

	extract_abort(extract);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reports) < 0)
		return err_sys(err, errno, "cannot talk to the unpack stage");
	extract->report_fd = reports[0];
	report = reports[1];
	if (send(extract->report_fd, job, sizeof(*job), MSG_NOSIGNAL) != sizeof(*job))
		return err_sys(err, errno, "cannot talk to the unpack stage");
	fds[UNPACK_FD_REPORT] = report;
	return stage_spawn("cman-unpack", &options, &extract->stage, err);
}

int extract_finish(struct extract *extract, struct unpack_result *out, struct err *err)
{
	struct unpack_report report;
	ssize_t n;
	int r, status;

	do
		n = recv(extract->report_fd, &report, sizeof(report), 0);
	while (n < 0 && errno == EINTR);
	status = stage_end(&extract->stage);
	if (n != sizeof(report))
		return unpack_stage_died("unpack", status, err);
	r = unpack_report_check(&report, err);
	if (r < 0)
		return r;
	if (report.failed) {
		*err = report.err;
		return err_code(err);
	}
	*out = report.result;
	return 0;
}
