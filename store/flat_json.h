/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_FLAT_JSON_H
#define CMAN_STORE_FLAT_JSON_H

/* Between jansson's values and the flat form (store/flat.h): neither way parses a text. */

#include <jansson.h>

#include "store/base/buf.h"
#include "store/base/err.h"

/* The form of `json` into `out`, which was empty. ERR_INVALID where it is larger than may be. */
int flat_from_json(const json_t *json, struct buf *out, struct err *err);

/* What the form says, to be released. ERR_CORRUPT as by flat_check(). */
int flat_to_json(const void *form, size_t len, json_t **out, struct err *err);

#endif
