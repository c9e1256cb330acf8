/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_COPY_H
#define CMAN_IMAGE_COPY_H

/*
 * From one registry to another, byte for byte and without a store: an index with all its images,
 * or one image of it. A blob that the other side lacks is mounted, where both are repositories of
 * one registry, and else goes through a pipe from the one to the other.
 */

#include <stdbool.h>

#include "image/credentials.h"
#include "image/platform.h"
#include "image/pull_ui.h"
#include "store/base/err.h"
#include "store/blobs.h"

/* How to reach one side. */
struct copy_side {
	const char *name; /* as name_qualify() takes it */
	const struct credentials *creds;
	const char *cacert;
	bool insecure;
};

struct copy_request {
	struct copy_side source, destination;
	const struct platform *platform; /* NULL: all there are */
	bool all_tags;			 /* of the source's repository, under the same tags */
	int jobs;			 /* blobs at a time; 0: BLOB_JOBS_THREADS */
	int retries;			 /* as in struct pull_request */
	int stall_timeout_s;
};

/* One tag is there now: "registry/repository:tag" and "sha256:…" of what it means. */
typedef int copied(const char *name, const char *digest, void *data, struct err *err);

/* ERR_USAGE, ERR_NOT_FOUND, ERR_UNSUPPORTED, ERR_NETWORK; -EINTR. `ui` may be NULL. */
int image_copy(const struct copy_request *request, const struct pull_ui *ui, copied *done,
	       void *data, struct err *err);

#endif
