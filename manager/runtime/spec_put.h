/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SPEC_PUT_H
#define CMAN_MANAGER_RUNTIME_SPEC_PUT_H

/*
 * jansson's setters take NULL values (of a failed allocation) and then fail: each function of
 * spec_print*.c returns whether all went well, and a half-made object goes with its owner.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/spec.h"
#include "store/json.h"

static inline bool set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

/* Absent where there is nothing to say. */
static inline bool set_string(json_t *object, const char *key, const char *value)
{
	return !value || set(object, key, json_string(value));
}

static inline bool set_positive(json_t *object, const char *key, int64_t value)
{
	return value <= 0 || set(object, key, json_integer(value));
}

/* An object below `object`, borrowed; NULL without memory. */
static inline json_t *add_object(json_t *object, const char *key)
{
	json_t *made = json_object();

	return set(object, key, made) ? made : NULL;
}

static inline json_t *add_array(json_t *object, const char *key)
{
	json_t *made = json_array();

	return set(object, key, made) ? made : NULL;
}

static inline json_t *append_object(json_t *array)
{
	json_t *made = json_object();

	return json_array_append_new(array, made) == 0 ? made : NULL;
}

static inline json_t *letter(char type)
{
	return json_stringn(&type, 1);
}

static inline bool set_strings(json_t *object, const char *key, char *const *v)
{
	json_t *array = v ? add_array(object, key) : NULL;

	for (; array && *v; v++)
		if (json_array_append_new(array, json_string(*v)) < 0)
			return false;
	return !v || array;
}

/* "KEY=VALUE" each, as members of the object. */
static inline bool set_pairs(json_t *object, char *const *pairs)
{
	for (; pairs && *pairs; pairs++) {
		size_t len = strcspn(*pairs, "=");
		char *key = strndup(*pairs, len);
		bool good = key && (*pairs)[len] && set_string(object, key, *pairs + len + 1);

		free(key);
		if (!good)
			return false;
	}
	return true;
}

/* linux.resources and annotations, in files of their own. */
bool spec_print_resources(json_t *section, const struct spec_resources *resources);
bool spec_print_notes(json_t *root, const struct spec *spec);

#endif
