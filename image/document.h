/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_DOCUMENT_H
#define CMAN_IMAGE_DOCUMENT_H

/*
 * The configuration of an image of the store, for all who need something of it: in flat form, as
 * its JSON is parsed once, when the image comes, by a process without powers (image/parse.h).
 * Images of stores of earlier versions get theirs the same way when it is first asked for.
 */

#include <jansson.h>
#include <stddef.h>

#include "image/config.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/flat.h"

struct store;

struct image_document {
	struct flat root; /* borrows from it */
	char *form;
	size_t len;
};

#define IMAGE_DOCUMENT_INIT       \
	{                         \
		.root = FLAT_INIT \
	}
#define AUTO_IMAGE_DOCUMENT __attribute__((cleanup(image_document_release)))
void image_document_release(struct image_document *document);

/*
 * Of the image with the full ID `id`. ERR_CORRUPT where what is kept of it is damaged,
 * ERR_NOT_FOUND where the image is gone, and what parse_image_config() fails with.
 */
int image_document_get(struct store *store, const char *id, struct image_document *out,
		       struct err *err);

/* What a container is made from. As image_document_get(). */
int image_document_config(struct store *store, const char *id, struct image_config *out,
			  struct err *err);

/* All of it, as it was published but for blanks; to be released. As image_document_get(). */
int image_document_json(struct store *store, const char *id, json_t **out, struct err *err);

/* The form of a configuration in JSON, to be freed: for fsck (store/fsck.h). */
int image_document_make(const char *json, size_t json_len, char **form, size_t *len,
			struct err *err);

/*
 * A configuration that was made here: its JSON and its flat form. ERR_INVALID where no container
 * could be made from it.
 */
int image_document_print(const json_t *root, char **json, struct buf *form, struct err *err);

#endif
