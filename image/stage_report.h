/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_STAGE_REPORT_H
#define CMAN_IMAGE_STAGE_REPORT_H

/*
 * How a stage that does one job gets it, and tells its parent what came of it: over a
 * SOCK_SEQPACKET socket, one packet each way. What it tells is foreign to its reader.
 *
 * `stage` is "unpack" for cman-unpack, as it stands in the texts.
 */

#include <stddef.h>

#include "store/base/err.h"
#include "store/base/stage.h"

/*
 * A socket with the job in it: the first packet of a new socket has room. Both ends are the
 * caller's, after a failure too.
 */
int stage_report_open(const char *stage, const void *job, size_t len, int *ours, int *theirs,
		      struct err *err);

/*
 * Wait for the report, of `size` bytes, and end the stage. ERR_SYS where it has ended without one;
 * EPIPE where that was because nobody read what it wrote.
 */
int stage_report_take(const char *stage, int fd, struct stage_child *child, void *report,
		      size_t size, struct err *err);

#endif
