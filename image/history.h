/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HISTORY_H
#define CMAN_IMAGE_HISTORY_H

/* How an image was made: the member `history` of its configuration (image-spec config.md), with
 * the layers that the steps made. */

#include <stddef.h>
#include <stdint.h>

#include "image/document.h"
#include "store/base/err.h"
#include "store/images.h"

/* Texts are those of the document: of any characters; NULL where there is none. */
struct history_step {
	const char *created; /* RFC 3339 */
	const char *created_by;
	const char *author;
	const char *comment;
	const struct image_layer *layer; /* NULL: it made none */
};

struct history {
	struct history_step *steps; /* oldest first */
	size_t nsteps;
	struct image_document document; /* holds the texts */
};

#define HISTORY_INIT                             \
	{                                        \
		.document = IMAGE_DOCUMENT_INIT, \
	}
#define AUTO_HISTORY __attribute__((cleanup(history_release)))
void history_release(struct history *history);

/*
 * Of an image of the store, whose record has to outlive it. Layers that no step tells of (some
 * builders leave steps out) come last, each as a step of its own. ERR_INVALID, and what
 * image_document_get() fails with.
 */
int history_read(struct store *store, const struct image_record *image, struct history *out,
		 struct err *err);

/* The same with a document that was got before; *out owns it, on failure it stays the caller's. */
int history_of(const struct image_record *image, struct image_document *document,
	       struct history *out, struct err *err);

#endif
