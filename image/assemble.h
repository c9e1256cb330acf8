/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_ASSEMBLE_H
#define CMAN_IMAGE_ASSEMBLE_H

/*
 * From layers that have come in to an image: one sync, then blobs and trees get their names, then
 * one transaction names the image. Whoever is killed before that has no image, after it a whole
 * one. For the main thread: it writes to the database.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/intake.h"
#include "store/base/err.h"
#include "store/images.h"

struct store;

/* A layer of the image, as manifest and config tell of it. */
struct assembly_layer {
	char digest[DIGEST_HEX_LEN + 1];  /* of the blob */
	char diff_id[DIGEST_HEX_LEN + 1]; /* of the uncompressed archive */
	/* image/stack_id.h; of this layer on those below it */
	char stack_id[DIGEST_HEX_LEN + 1];
	int64_t size; /* of the blob */
	const char *media_type;
	struct intake *fresh; /* at its end; NULL: blob and tree are in the store */
	bool verified;	      /* by assemble(): the blob was seen to unpack to the diff ID */
};

/* Set the stack IDs of all layers, bottom first, by their diff IDs. assemble() does so as well. */
int assembly_layers_stack(struct assembly_layer *layers, size_t n, struct err *err);

/*
 * *present: blob and tree of layer `i` of `layers` are in the store, and the one is known to be the
 * other's: by another image, or by one of the `n` layers. A manifest that pairs what is there for
 * other reasons must not be believed. They have their stack IDs. Main thread.
 */
int assembly_layer_find(struct store *store, const struct assembly_layer *layers, size_t n,
			size_t i, bool *present, struct err *err);

/* Fill in all but the stack ID from an intake at its end. */
void assembly_layer_take(struct assembly_layer *layer, struct intake *fresh);

struct assembly {
	const char *name; /* normalised; NULL: none, the image is found by its ID */
	/* "sha256:…" of what a registry calls by the name, index or manifest; NULL: none does */
	const char *published;
	const char *source;	   /* where it came from, as it may be shown */
	const char *source_digest; /* "sha256:…" of that; NULL: the manifest's */
	const char *config; /* OCI or Docker configuration, JSON; its digest is the image's ID */
	size_t config_len;
	const char *config_type; /* media type; NULL: OCI's */
	const char *flat; /* its flat form (image/document.h); NULL: made when it is needed */
	size_t flat_len;
	const char *manifest; /* JSON as published; NULL: an OCI manifest is made */
	size_t manifest_len;
	const char *manifest_type;
	struct assembly_layer *layers; /* bottom first */
	size_t nlayers;
};

/*
 * Make the image. What `fresh` intakes hold is in the store afterwards, and they are spent. Fails
 * with ERR_CORRUPT where a layer's content is not what its diff ID says, ERR_NOT_FOUND where one
 * that should be in the store is not any more (pull again).
 */
int assemble(struct store *store, const struct assembly *assembly, struct image_record *out,
	     struct err *err);

/*
 * The first half alone: those of the `n` layers that are fresh, bottom first, become the store's;
 * nothing names them for a while (store_sweep()). Where a tree takes the metadata of directories
 * from layers below it, and one of those is not there yet, its layer stays fresh, and only its blob
 * is the store's.
 */
int assemble_layers(struct store *store, struct assembly_layer *layers, size_t n, struct err *err);

#endif
