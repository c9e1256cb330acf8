/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_UNPACK_STAGE_H
#define CMAN_IMAGE_UNPACK_STAGE_H

/*
 * What the stage cman-unpack and its parent say to each other. Descriptors of the stage: 0 the
 * archive, 3 a SOCK_SEQPACKET socket that gives one job (struct unpack_job) and takes one report, 4
 * the directory to unpack into, or the detached mount to merge into, 5 the memfd for marks
 * (image/marks.h), but for a merge. unpack_stage_main() is declared in image/pull.h.
 */

#include <stdint.h>

#include "image/unpack.h"
#include "store/base/err.h"

#define UNPACK_FD_ARCHIVE 0
#define UNPACK_FD_REPORT 3
#define UNPACK_FD_TARGET 4
#define UNPACK_FD_MARKS 5
#define UNPACK_NFDS 6

/* Foreign to its reader: the stage has parsed the archive. unpack_report_check() comes first. */
struct unpack_report {
	int64_t failed;	     /* bool: err is set, else result */
	int64_t marks_bytes; /* written to UNPACK_FD_MARKS */
	struct err err;
	struct unpack_result result;
};

/* End the texts, and refuse what cannot be. 0 or ERR_INVALID. */
int unpack_report_check(struct unpack_report *report, struct err *err);

/* It has ended without a report, with this status of waitpid(2). */
int unpack_stage_died(int status, struct err *err);

#endif
