/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INFLATE_STAGE_H
#define CMAN_IMAGE_INFLATE_STAGE_H

/*
 * What the stage cman-inflate and its parent say to each other. It decompresses one stream and has
 * no power at all: no file, no capability, no user. Descriptors of the stage: 3 a SOCK_SEQPACKET
 * socket that gives one job (struct inflate_job) and takes one report, which says what is wrong
 * with the stream where something is; 4 and 5 memory and socket of the ring that brings the
 * stream (image/ring.h), 6 and 7 those of the ring that takes what comes out. A failure is reported
 * before the rings are closed.
 */

#include <stdint.h>

#include "store/base/err.h"

#define INFLATE_FD_REPORT 3
#define INFLATE_FD_IN 4
#define INFLATE_FD_IN_SOCKET 5
#define INFLATE_FD_OUT 6
#define INFLATE_FD_OUT_SOCKET 7
#define INFLATE_NFDS 8

struct inflate_job {
	int64_t bytes; /* limits, as in struct unpack_limits */
	int64_t expansion;
};

/* Foreign to its reader: the stage has seen the stream. inflate_report_check() comes first. */
struct inflate_report {
	int64_t failed; /* bool: err is set */
	struct err err;
};

/* End the texts, and refuse what cannot be. 0 or ERR_INVALID. */
int inflate_report_check(struct inflate_report *report, struct err *err);

int inflate_stage_main(void);

#endif
