/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_JSON_H
#define CMAN_STORE_JSON_H

/*
 * JSON by jansson, bounded: foreign documents are limited in size, depth and number of values, and
 * members are taken with their type checked, so that no caller forgets to.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

#define JSON_MAX_BYTES (4u << 20)
#define JSON_MAX_DEPTH 64      /* checked before jansson recurses */
#define JSON_MAX_VALUES 262144 /* an empty object takes three bytes of text, and 300 of memory */

#define AUTO_JSON __attribute__((cleanup(json_release)))
void json_release(json_t **json);

/* Parse `len` bytes; duplicate keys are refused. ERR_INVALID: "NAME: line 3 column 7: …". */
int json_parse(const char *name, const char *text, size_t len, json_t **out, struct err *err);

/*
 * Members of an object. Missing (or null) gives 0 and leaves *out as it was; a wrong type gives
 * ERR_INVALID naming the key. Strings are borrowed from `object`.
 */
int json_get_string(const json_t *object, const char *key, const char **out, struct err *err);
int json_get_int(const json_t *object, const char *key, int64_t *out, struct err *err);
int json_get_bool(const json_t *object, const char *key, bool *out, struct err *err);
int json_get_object(const json_t *object, const char *key, json_t **out, struct err *err);
int json_get_array(const json_t *object, const char *key, json_t **out, struct err *err);
/* An array of strings as a NULL-terminated vector to be freed with strv_free(). */
int json_get_strv(const json_t *object, const char *key, char ***out, struct err *err);

/* Compact or 2-space-indented text, keys in insertion order; to be freed. */
int json_print(const json_t *json, bool indent, char **out, struct err *err);

#endif
