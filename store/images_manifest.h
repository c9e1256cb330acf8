/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_IMAGES_MANIFEST_H
#define CMAN_STORE_IMAGES_MANIFEST_H

#include "store/images.h"

/*
 * Parts of transactions of images_put.c and images_remove.c, which hold the write lock.
 */

/* Insert the manifest of the image `id`, unless it is there. As image_put() fails. */
int image_manifest_put(struct store *store, const char *id, const struct image_manifest *manifest,
		       int64_t now_ns, struct err *err);

/*
 * A name of the image `id` went or has another manifest now: forget the manifests that no name
 * stands for, but the newest where there is no other, as what has a name before it is nameless.
 */
int image_manifest_prune(struct store *store, const char *id, struct err *err);

#endif
