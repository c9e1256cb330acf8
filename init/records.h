/* SPDX-License-Identifier: Apache-2.0 */
/* What is told to whoever started ctinit, where that asked for it (report.h). */
#ifndef CTINIT_RECORDS_H
#define CTINIT_RECORDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "init/options.h"
#include "init/report.h"

/* To each --report-fd. A reader that is gone is no reason to end. */
void record_write(const struct options *options, enum ctinit_report_type type, pid_t pid,
		  int value);

/*
 * There is no payload: the exec of `name` failed with `error`, or already the making of a process.
 * Says so on stderr where there is no --report-fd. Returns the exit status.
 */
int record_no_start(const struct options *options, const char *name, bool exec, int error);

#endif
