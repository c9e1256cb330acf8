/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_IMAGES_FLAT_H
#define CMAN_STORE_IMAGES_FLAT_H

/*
 * Two forms of an image's configuration: the JSON as it was published, which the ID is the digest
 * of, and the flat form (store/flat.h) of the same, which is all that is read in everyday use. The
 * store takes both as they are given.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

struct store;

/* The JSON of the image with the full ID `id`; foreign, and not to be parsed with any power. */
int image_config_text(struct store *store, const char *id, char **out, struct err *err);

/*
 * The flat form; *out stays as it is where none is kept (images of versions before 4), or one that
 * another version made. To be freed.
 */
int image_flat_get(struct store *store, const char *id, char **out, size_t *len, struct err *err);

/* Keep this one, whatever there was. Nothing happens where the image is gone. */
int image_flat_put(struct store *store, const char *id, const char *form, size_t len,
		   struct err *err);

/* The same in the transaction of image_put(): what is there stays, and has to be the *same. */
int image_flat_add(struct store *store, const char *id, const char *form, size_t len, bool *same,
		   struct err *err);

#endif
