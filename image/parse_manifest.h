/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PARSE_MANIFEST_H
#define CMAN_IMAGE_PARSE_MANIFEST_H

/* Manifests and indexes, as the stage cman-parse reads them. image/parse.h says what they are. */

#include "image/parse_stage.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/json.h"

/* `root` as an answer to PARSE_MANIFEST or, with `any`, to PARSE_ANY_MANIFEST; see
 * parse_document(). */
int parse_manifest_document(const json_t *root, const char *media_type, bool any,
			    struct parse_answer *answer, struct buf *elements, struct err *err);

#endif
