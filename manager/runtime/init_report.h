/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_INIT_REPORT_H
#define CMAN_MANAGER_RUNTIME_INIT_REPORT_H

/*
 * What ctinit says (init/report.h), which whoever can trace it can say in its place, or withhold.
 */

#include "init/report.h"
#include "store/base/err.h"

/*
 * The next record at `fd`: 1, or 0 when there will be none, as the file or the process behind
 * `pidfd` has ended. ERR_STATE (ETIMEDOUT) when there was none for so long (-1: ever); ERR_INVALID
 * where something else was written.
 */
int init_report_read(int fd, int pidfd, int timeout_ms, struct ctinit_report *out, struct err *err);

#endif
