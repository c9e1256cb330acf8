/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_COMMIT_H
#define CMAN_MANAGER_COMMIT_H

/*
 * A container → an image: that of the container with one layer more, which holds what the container
 * changed in its files. The configuration is the image's own, with the changes that are asked for;
 * what the container was started with (environment, command) is not taken over.
 */

#include <stdbool.h>

#include "image/pack.h"
#include "image/unpack.h"
#include "store/base/err.h"
#include "store/images.h"

struct store;

struct commit_request {
	const char *container; /* name or ID */
	const char *name;      /* what to call the image; NULL: nothing */
	char *const *changes;  /* instructions (image/config_change.h); NULL: none */
	const char *message;   /* NULL: none */
	const char *author;
	bool pause;			    /* hold a container that runs still meanwhile */
	const struct unpack_limits *limits; /* NULL: the defaults */
};

/*
 * `packed` tells what of the container's files could not be kept. Nothing is left on failure; the
 * container goes on whatever becomes of this process. ERR_UNSUPPORTED where it cannot be paused.
 */
int commit_container(struct store *store, const struct commit_request *request,
		     struct pack_result *packed, struct image_record *out, struct err *err);

#endif
