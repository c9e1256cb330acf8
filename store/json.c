/* SPDX-License-Identifier: Apache-2.0 */
#include "store/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

void json_release(json_t **json)
{
	int saved = errno;

	json_decref(*json);
	*json = NULL;
	errno = saved;
}

static int fail_at(const char *name, int line, int column, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID, EINVAL, "%s: line %d column %d: %s", name, line, column,
		       why);
}

/*
 * jansson goes down by recursion, as deep as 2048 levels. Counted is what opens, closes and
 * separates outside of strings; whether it pairs up is jansson's to find out.
 */
static int check_bounds(const char *name, const char *text, size_t len, struct err *err)
{
	bool in_string = false;
	int depth = 0, values = 0, line = 1, column = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		column++;
		if (c == '\n') {
			line++;
			column = 0;
		} else if (in_string) {
			if (c == '"')
				in_string = false;
			else if (c == '\\' && i + 1 < len && text[i + 1] != '\n') {
				i++;
				column++;
			}
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_MAX_DEPTH)
				return fail_at(name, line, column, "nested too deeply", err);
			values++;
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (c == ',') {
			values++;
		}
		if (values > JSON_MAX_VALUES)
			return fail_at(name, line, column, "too many values", err);
	}
	return 0;
}

int json_parse(const char *name, const char *text, size_t len, json_t **out, struct err *err)
{
	json_error_t failure;
	json_t *json;
	int r;

	if (len > JSON_MAX_BYTES)
		return err_set(err, ERR_INVALID, EFBIG, "%s is larger than %u bytes", name,
			       JSON_MAX_BYTES);
	r = check_bounds(name, text, len, err);
	if (r < 0)
		return r;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &failure);
	if (!json) {
		/* Of some allocations that fail it says nothing at all. */
		if (json_error_code(&failure) == json_error_out_of_memory || failure.line < 0)
			return err_sys(err, ENOMEM, "cannot parse %s", name);
		return fail_at(name, failure.line, failure.column, failure.text, err);
	}
	*out = json;
	return 0;
}

/* The member of type `type` (or, with `also`, of that), NULL where it is missing or null. */
static int get_member(const json_t *object, const char *key, json_type type, json_type also,
		      const char *type_name, json_t **out, struct err *err)
{
	json_t *value;

	if (!json_is_object(object))
		return err_set(err, ERR_INVALID, EINVAL, "\"%s\": what should hold it is no object",
			       key);
	value = json_object_get(object, key);
	if (json_is_null(value))
		value = NULL;
	if (value && json_typeof(value) != type && json_typeof(value) != also)
		return err_set(err, ERR_INVALID, EINVAL, "\"%s\" is not %s", key, type_name);
	*out = value;
	return 0;
}

int json_get_string(const json_t *object, const char *key, const char **out, struct err *err)
{
	json_t *value = NULL;
	int r = get_member(object, key, JSON_STRING, JSON_STRING, "a string", &value, err);

	if (r == 0 && value)
		*out = json_string_value(value);
	return r;
}

int json_get_int(const json_t *object, const char *key, int64_t *out, struct err *err)
{
	json_t *value = NULL;
	int r = get_member(object, key, JSON_INTEGER, JSON_INTEGER, "a whole number", &value, err);

	if (r == 0 && value)
		*out = json_integer_value(value);
	return r;
}

int json_get_bool(const json_t *object, const char *key, bool *out, struct err *err)
{
	json_t *value = NULL;
	int r = get_member(object, key, JSON_TRUE, JSON_FALSE, "true or false", &value, err);

	if (r == 0 && value)
		*out = json_is_true(value);
	return r;
}

int json_get_object(const json_t *object, const char *key, json_t **out, struct err *err)
{
	json_t *value = NULL;
	int r = get_member(object, key, JSON_OBJECT, JSON_OBJECT, "an object", &value, err);

	if (r == 0 && value)
		*out = value;
	return r;
}

int json_get_array(const json_t *object, const char *key, json_t **out, struct err *err)
{
	json_t *value = NULL;
	int r = get_member(object, key, JSON_ARRAY, JSON_ARRAY, "an array", &value, err);

	if (r == 0 && value)
		*out = value;
	return r;
}

int json_get_strv(const json_t *object, const char *key, char ***out, struct err *err)
{
	json_t *array = NULL;
	char **strings;
	int r = json_get_array(object, key, &array, err);

	if (r < 0 || !array)
		return r;
	/* Filled here, as appending one by one would take time by the square of the size. */
	strings = calloc(json_array_size(array) + 1, sizeof(*strings));
	if (!strings)
		return err_sys(err, ENOMEM, "cannot read \"%s\"", key);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));

		strings[i] = text ? strdup(text) : NULL;
		if (!strings[i]) {
			strv_free(strings);
			if (text)
				return err_sys(err, ENOMEM, "cannot read \"%s\"", key);
			return err_set(err, ERR_INVALID, EINVAL,
				       "\"%s\": element %zu is not a string", key, i);
		}
	}
	*out = strings;
	return 0;
}

static int add_text(const char *text, size_t len, void *data)
{
	buf_add(data, text, len);
	return 0;
}

int json_print(const json_t *json, bool indent, char **out, struct err *err)
{
	size_t flags = JSON_ENCODE_ANY | (indent ? (size_t)JSON_INDENT(2) : JSON_COMPACT);
	AUTO_BUF struct buf text = BUF_INIT;

	if (json_dump_callback(json, add_text, &text, flags) < 0 || buf_failed(&text))
		return err_sys(err, ENOMEM, "cannot print JSON");
	*out = buf_steal(&text);
	return *out ? 0 : err_sys(err, ENOMEM, "cannot print JSON");
}
