/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TRANSCODE_H
#define CMAN_IMAGE_TRANSCODE_H

/*
 * A layer's archive in another compression: for a registry or an archive that does not take the one
 * it has (xz), or to make it smaller. It is read and written by the stage cman-pack, which for this
 * has no files and no capability at all. Use and end as with pack_start() (image/pack.h).
 */

#include "image/pack.h"

struct transcode_request {
	int in_fd; /* gzip, zstd, xz or not compressed, from where it stands; stays the caller's */
	enum compression compression;
	int level;	     /* PACK_LEVEL_DEFAULT */
	const char *diff_id; /* hex; pack_finish() compares. NULL: not known */
};

int transcode_start(struct pack *pack, const struct transcode_request *request, struct err *err);

#endif
