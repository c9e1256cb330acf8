/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/spec_take.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/strv.h"

#define ENTRIES_MAX 65536 /* of any array; the text is bounded, too */
#define MODE_MAX 07777

int spec_invalid(struct err *err, const char *member, const char *what)
{
	return err_set(err, ERR_INVALID, EINVAL, "%s %s", member, what);
}

int spec_no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot keep the configuration");
}

int spec_take_string(const json_t *json, const char *key, char **out, struct err *err)
{
	const char *value = NULL;
	char *copy;
	int result = json_get_string(json, key, &value, err);

	if (result < 0 || !value)
		return result;
	copy = strdup(value);
	if (!copy)
		return spec_no_memory(err);
	free(*out);
	*out = copy;
	return 0;
}

int spec_take_number(const json_t *json, const char *key, int64_t min, int64_t max, int64_t *out,
		     struct err *err)
{
	int64_t value = *out;
	int result = json_get_int(json, key, &value, err);

	if (result < 0)
		return result;
	if (value < min || value > max)
		return spec_invalid(err, key, "is out of range");
	*out = value;
	return 0;
}

int spec_take_id(const json_t *json, const char *key, uint32_t *out, struct err *err)
{
	int64_t value = *out;
	int result = spec_take_number(json, key, 0, UINT32_MAX - 1, &value, err);

	if (result == 0)
		*out = (uint32_t)value;
	return result;
}

int spec_take_mode(const json_t *json, const char *key, mode_t *out, struct err *err)
{
	int64_t value = *out;
	int result = spec_take_number(json, key, 0, MODE_MAX, &value, err);

	if (result == 0)
		*out = (mode_t)value;
	return result;
}

int spec_take_letter(const json_t *json, const char *key, const char *letters, char *out,
		     struct err *err)
{
	const char *value = NULL;
	int result = json_get_string(json, key, &value, err);

	if (result < 0 || !value)
		return result;
	if (strlen(value) != 1 || !strchr(letters, value[0]))
		return err_set(err, ERR_INVALID, EINVAL, "%s: unknown type \"%.16s\"", key, value);
	*out = value[0];
	return 0;
}

int spec_take_array(const json_t *json, const char *key, size_t size, json_t **array, void **out,
		    struct err *err)
{
	json_t *found = NULL;
	json_t *entry;
	size_t i;
	int result = json_get_array(json, key, &found, err);

	*array = NULL;
	if (result < 0 || !found)
		return result;
	if (json_array_size(found) > ENTRIES_MAX)
		return spec_invalid(err, key, "has too many entries");
	json_array_foreach (found, i, entry)
		if (!json_is_object(entry))
			return spec_invalid(err, key, "has an entry that is not an object");
	*out = calloc(json_array_size(found) + 1, size);
	if (!*out)
		return spec_no_memory(err);
	*array = found;
	return 0;
}

int spec_take_pairs(json_t *json, char ***out, struct err *err)
{
	AUTO_STRV char **pairs = NULL;
	const char *key;
	json_t *value;

	json_object_foreach (json, key, value) {
		AUTO_FREE char *pair = NULL;

		if (!json_is_string(value))
			return spec_invalid(err, key, "is not a string");
		if (!*key || strchr(key, '='))
			return spec_invalid(err, *key ? key : "a name", "is empty or has a '='");
		if (asprintf(&pair, "%s=%s", key, json_string_value(value)) < 0)
			pair = NULL;
		if (!pair || strv_add(&pairs, pair) < 0)
			return spec_no_memory(err);
	}
	*out = STEAL_PTR(pairs);
	return 0;
}
