/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_UNPACK_STAGE_H
#define CMAN_IMAGE_UNPACK_STAGE_H

/*
 * What the stage cman-unpack and its parent say to each other. Descriptors of the stage: 3 a
 * SOCK_SEQPACKET socket that gives one job (struct unpack_job) and takes one report, 4 the
 * directory to unpack into, 5 the memfd for marks (image/marks.h), 6 and 7 memory and socket of the
 * ring that brings the archive (image/ring.h). For a merge: 0 the archive, which may be compressed,
 * 4 the detached mount to merge into, and none of the others.
 */

#include <stdint.h>

#include "image/unpack.h"
#include "store/base/err.h"

#define UNPACK_FD_MERGED 0
#define UNPACK_FD_REPORT 3
#define UNPACK_FD_TARGET 4
#define UNPACK_FD_MARKS 5
#define UNPACK_FD_ARCHIVE 6
#define UNPACK_FD_ARCHIVE_SOCKET 7
#define UNPACK_NFDS 8

/* Foreign to its reader: the stage has parsed the archive. unpack_report_check() comes first. */
struct unpack_report {
	int64_t failed;	     /* bool: err is set, else result */
	int64_t broke_off;   /* bool: it failed because the archive has no end */
	int64_t marks_bytes; /* written to UNPACK_FD_MARKS */
	struct err err;
	struct unpack_result result;
};

/* End the texts, and refuse what cannot be. 0 or ERR_INVALID. */
int unpack_report_check(struct unpack_report *report, struct err *err);

int unpack_stage_main(void);

#endif
