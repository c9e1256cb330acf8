/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_USAGE_H
#define CMAN_STORE_USAGE_H

/*
 * What images take on disk, from what the database knows: layers count with the bytes of their
 * files, blobs with their own. What several images share counts once. What containers have written
 * is not known here.
 */

#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

struct store;

struct usage {
	int64_t images;
	int64_t used_images; /* that a container was made from, or that are mounted */
	int64_t layer_bytes, blob_bytes;
	int64_t reclaimable_bytes; /* of layers and blobs that no used image has */
	int64_t downloads, download_bytes;
	int64_t held_downloads, held_bytes; /* of these, those that go on right now */
};

int store_usage(struct store *store, struct usage *out, struct err *err);

struct image_usage {
	const char *id;
	const char *name; /* the first of its names; NULL: none */
	int64_t created_ns;
	int64_t layer_bytes, blob_bytes;
	int64_t shared_bytes; /* of both, what other images have, too */
	int64_t containers;
};

/* Newest first. Strings are the visitor's until it returns; non-zero ends the walk. */
typedef int image_usage_visit(const struct image_usage *usage, void *data, struct err *err);
int image_usage_each(struct store *store, image_usage_visit *visit, void *data, struct err *err);

#endif
