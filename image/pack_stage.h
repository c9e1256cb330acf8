/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PACK_STAGE_H
#define CMAN_IMAGE_PACK_STAGE_H

/*
 * What the stage cman-pack and its parent say to each other. Descriptors of the stage: 0 the
 * archive to transcode, 1 where the archive is written to, 3 a SOCK_SEQPACKET socket that gives one
 * order and takes one report, 4 the mount to pack, 5 a memfd with the marks.
 */

#include <limits.h>
#include <stdint.h>

#include "image/pack.h"
#include "store/base/err.h"

#define PACK_FD_IN 0
#define PACK_FD_OUT 1
#define PACK_FD_REPORT 3
#define PACK_FD_MOUNT 4
#define PACK_FD_MARKS 5
#define PACK_NFDS 6

struct pack_order {
	int64_t kind;	     /* enum pack_kind */
	int64_t compression; /* enum compression */
	int64_t level;
	int64_t marks_len;
	int64_t follow; /* PACK_COPY, and these two */
	char path[PATH_MAX];
	char name[NAME_MAX + 1];
};

/* Foreign to its reader: the stage has read what a container wrote. pack_report_check() first. */
struct pack_report {
	int64_t failed; /* bool: err is set, else result */
	struct err err;
	struct pack_result result;
};

/* End the texts, and refuse what cannot be. 0 or ERR_INVALID. */
int pack_report_check(struct pack_report *report, struct err *err);

/* The parent's side of it: start the stage with what it needs of `fds`, and give the order. */
int pack_stage_start(struct pack *pack, const struct pack_order *order, int in_fd, int mount_fd,
		     int marks_fd, struct err *err);

int pack_stage_main(void);

#endif
