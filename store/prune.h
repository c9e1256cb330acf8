/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_PRUNE_H
#define CMAN_STORE_PRUNE_H

/*
 * Making room: images that nobody needs, with the layers and blobs that only they had; downloads
 * that were interrupted; layers and blobs that an interrupted pull left without an image.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/images.h"

struct prune_request {
	bool all; /* every image that no container was made from; else only those without a name */
	int64_t before_ns; /* only what this store got before that time */
};

struct prune_result {
	int64_t bytes; /* of layers, unpacked, of blobs and of downloads that are gone */
	bool later;    /* somebody is making an image: layers and blobs go with a later sweep */
};

/*
 * Images that are mounted stay, as do those that containers have. `removed` is called as by
 * image_remove().
 */
int store_prune(struct store *store, const struct prune_request *request, image_removed *removed,
		void *data, struct prune_result *out, struct err *err);

#endif
