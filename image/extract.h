/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_EXTRACT_H
#define CMAN_IMAGE_EXTRACT_H

/*
 * An archive, by itself or compressed, into a directory of a tree in use (image/merge.h), by the
 * stage cman-unpack: what parses it has changed its root to that tree, and has no right but to make
 * files there. Other than image/ingest.h it is given the archive's descriptor, and no store.
 *
 *	AUTO_EXTRACT struct extract extract = EXTRACT_INIT;
 *
 *	r = extract_start(&extract, &job, archive_fd, mount_fd, err);
 *	r = extract_finish(&extract, &result, err);	waits
 */

#include "image/unpack.h"
#include "store/base/err.h"
#include "store/base/stage.h"

struct extract {
	struct stage_child stage; /* pid 0: none runs */
	int report_fd;
};

#define EXTRACT_INIT                                       \
	{                                                  \
		.stage = { .pidfd = -1 }, .report_fd = -1, \
	}
#define AUTO_EXTRACT __attribute__((cleanup(extract_abort)))
/* Kill the stage. Harmless after extract_finish(). */
void extract_abort(struct extract *extract);

/*
 * `job` is one with `merge`. `mount_fd`: a detached mount, whose root is that of the tree, with
 * what is mounted below; the stage attaches it in a namespace of its own and does not change how
 * it is mounted. Both descriptors stay the caller's. The stage dies with the calling thread.
 */
int extract_start(struct extract *extract, const struct unpack_job *job, int archive_fd,
		  int mount_fd, struct err *err);

/* ERR_INVALID where the archive is at fault; the entry is named. What is unpacked then stays. */
int extract_finish(struct extract *extract, struct unpack_result *out, struct err *err);

#endif
