/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_JSON_WITHOUT_H
#define CMAN_STORE_JSON_WITHOUT_H

/* Of a large document that is our own, the part that is needed. */

#include <stddef.h>

#include "store/base/buf.h"

/*
 * Add the JSON object `text` to `out` without those of its members, and of the members of objects
 * that are its members, that are called as one of `keys` (up to a NULL). To find the end of a value
 * takes a twentieth of what it takes to parse it. Keys are compared as they are written, escapes
 * and all. What comes out of text that is no JSON is none, either; there is no failure but in
 * `out`.
 */
void json_add_without(struct buf *out, const char *text, size_t len, const char *const *keys);

#endif
