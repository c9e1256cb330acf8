/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_MERGE_FILE_H
#define CMAN_IMAGE_MERGE_FILE_H

/* Regular files that are merged into a tree. For image/merge.c. */

#include <sys/types.h>
#include <time.h>

#include "image/tar_check.h"
#include "store/base/err.h"

struct archive_entry;
struct unpack;

/* One entry on its way into the tree. */
struct merging {
	struct unpack *unpack;
	struct archive_entry *entry;
	const struct tar_entry *header;
	int dir;	  /* lent */
	const char *leaf; /* in `dir` */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec times[2];
};

/* 1: something is there, 0: nothing, ERR_STATE: a directory, which is not replaced. */
int merge_look(const struct merging *at, struct err *err);

/* A new file, or one that takes the place of what is there when it is whole. */
int merge_file(const struct merging *at, struct err *err);

#endif
