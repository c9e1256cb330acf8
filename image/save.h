/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_SAVE_H
#define CMAN_IMAGE_SAVE_H

/*
 * Images of the store into one archive: an OCI layout (image-spec image-layout.md), as a tar or in
 * a directory, or a docker-archive. Blobs are compared with their digests as they are written. What
 * several images share is written once.
 */

#include <stdbool.h>
#include <stddef.h>

#include "image/descriptor.h"
#include "store/base/err.h"

struct store;

enum save_format { SAVE_OCI, SAVE_DOCKER };

struct save_request {
	/* Words as image_lookup() takes them; one that is an ID saves an image without a name. */
	char *const *images;
	size_t nimages;
	enum save_format format;
	/* bool: bring layers into `compression`. Without it an OCI layout has them as published,
	 * and a docker-archive has them uncompressed. */
	bool compress;
	enum compression compression;
	int fd;	 /* the tar is written to this */
	int dir; /* -1, or the empty directory that becomes the layout */
};

/*
 * ERR_NOT_FOUND, ERR_CORRUPT where the store is damaged, ERR_SYS; -EINTR after SIGINT, SIGTERM or
 * SIGHUP. What was written on failure is no archive. Main thread.
 */
int image_save(struct store *store, const struct save_request *request, struct err *err);

#endif
