/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/oom_score.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

int oom_score_apply(int proc_fd, pid_t pid, const struct spec_process *process, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char path[48], score[16];
	int r;

	if (!process->has_oom_score_adj)
		return 0;
	snprintf(path, sizeof(path), "%d/oom_score_adj", (int)pid);
	snprintf(score, sizeof(score), "%d", process->oom_score_adj);
	fd = openat(proc_fd, path, O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : fd_write_all(fd, score, strlen(score));
	if (r == 0)
		return 0;
	err_sys(err, -r, "cannot set the OOM score to %s", score);
	return r == -EACCES || r == -EPERM ?
		       err_hint(err, "going below what cman has takes CAP_SYS_RESOURCE") :
		       r;
}
