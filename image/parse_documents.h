/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PARSE_DOCUMENTS_H
#define CMAN_IMAGE_PARSE_DOCUMENTS_H

/* The documents as the stage cman-parse reads them. image/parse.h says what they are. */

#include "image/parse_stage.h"
#include "store/base/buf.h"
#include "store/base/err.h"

/*
 * Parse `len` bytes, and fill *answer and `elements` (empty before). What is unused of them is
 * zero, because all of it is sent. On failure both may have been written to.
 */
int parse_document(enum parse_document document, const char *media_type, const void *bytes,
		   size_t len, struct parse_answer *answer, struct buf *elements, struct err *err);

#endif
