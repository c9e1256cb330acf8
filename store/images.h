/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_IMAGES_H
#define CMAN_STORE_IMAGES_H

/*
 * Images: a config and ordered layers, under an ID (the digest of the config JSON: sha256 hex),
 * with any number of names (references). Names are stored as image/ref.h normalises them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

struct store;

#define DIGEST_HEX_LEN 64

struct image_layer {
	char diff_id[DIGEST_HEX_LEN + 1]; /* sha256 of the uncompressed tar, hex */
	int64_t size;			  /* bytes of the unpacked regular files */
};

struct image_record {
	char id[DIGEST_HEX_LEN + 1];
	char *config;		    /* OCI image-spec config JSON */
	char *source;		    /* where it was pulled from: a URL or path, for inspect */
	char *source_digest;	    /* "sha256:…" of the file as published */
	int64_t created_ns;	    /* when this store got it */
	int64_t size;		    /* of all layers, unpacked */
	struct image_layer *layers; /* bottom first */
	size_t nlayers;
	char **names; /* sorted */
	size_t nnames;
};

#define IMAGE_RECORD_INIT \
	{                 \
		0         \
	}
#define AUTO_IMAGE_RECORD __attribute__((cleanup(image_record_release)))
void image_record_release(struct image_record *record);

/*
 * Insert image and layers (present ones are kept) and move the name `name` to it, in one
 * transaction: before it the image does not exist, after it the image is whole, also after a power
 * cut. All layers must be on disk (layer_draft_commit()): ERR_NOT_FOUND where one was removed
 * meanwhile. `names`, `nnames` are not looked at. An image that loses its last name so stays,
 * nameless.
 */
int image_put(struct store *store, const struct image_record *image, const char *name,
	      struct err *err);

/*
 * Find by name (as written, then with ":latest" added), full ID ("sha256:" allowed) or unambiguous
 * ID prefix of at least 4 digits. ERR_NOT_FOUND "no such image: X", ERR_AMBIGUOUS with up to three.
 */
int image_find(struct store *store, const char *name_or_id, struct image_record *out,
	       struct err *err);

/* Newest first, else as container_each(). */
typedef int image_visit(const struct image_record *record, void *data, struct err *err);
int image_each(struct store *store, image_visit *visit, void *data, struct err *err);

/*
 * Given a name of several, remove just that. Given the last name or an ID, remove the image with
 * all its names; ERR_STATE with the names of the containers that use it. With `force` the names of
 * such an image are removed nevertheless, and it stays without one. Layers that no other image has
 * are removed from disk after the commit. `removed` is called after the commit, once for each name
 * (deleted false) and for the ID (deleted true), even where removing a layer then fails.
 */
typedef void image_removed(const char *what, bool deleted, void *data);
int image_remove(struct store *store, const char *name_or_id, bool force, image_removed *removed,
		 void *data, struct err *err);

#endif
