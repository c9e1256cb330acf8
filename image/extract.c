/* SPDX-License-Identifier: Apache-2.0 */
#include "image/extract.h"

#include <signal.h>

#include "image/stage_report.h"
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
	int fds[UNPACK_NFDS] = {
		[UNPACK_FD_MERGED] = archive_fd, -1, -1, -1, mount_fd, -1, -1, -1,
	};
	const struct stage_options options = {
		.fds = fds,
		.nfds = UNPACK_NFDS,
		.parent_death_signal = SIGKILL,
	};
	AUTO_CLOSE int report = -1;
	int r;

	extract_abort(extract);
	r = stage_report_open("unpack", job, sizeof(*job), &extract->report_fd, &report, err);
	if (r < 0)
		return r;
	fds[UNPACK_FD_REPORT] = report;
	return stage_spawn("cman-unpack", &options, &extract->stage, err);
}

int extract_finish(struct extract *extract, struct unpack_result *out, struct err *err)
{
	struct unpack_report report;
	int r = stage_report_take("unpack", extract->report_fd, &extract->stage, &report,
				  sizeof(report), err);

	if (r == 0)
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
