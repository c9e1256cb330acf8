/* SPDX-License-Identifier: Apache-2.0 */
#include "store/flat_json.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/flat.h"
#include "store/json.h"

#define LENGTH_LEN 4

/* --- to the form --- */

static void add_little_endian(struct buf *out, uint64_t number, size_t n)
{
	for (; n > 0; n--, number >>= 8)
		buf_addch(out, (char)(number & 0xff));
}

/* What comes until end_value() is its payload. */
static size_t begin_value(struct buf *out, enum flat_kind kind)
{
	buf_addch(out, (char)kind);
	add_little_endian(out, 0, LENGTH_LEN);
	return out->len;
}

static void end_value(struct buf *out, size_t payload)
{
	size_t len = out->len - payload;

	if (buf_failed(out))
		return;
	for (size_t i = 0; i < LENGTH_LEN; i++, len >>= 8)
		out->data[payload - LENGTH_LEN + i] = (char)(len & 0xff);
}

static void add_text(struct buf *out, const char *text, size_t len)
{
	size_t at = begin_value(out, FLAT_STRING);

	buf_add(out, text, len);
	buf_addch(out, '\0');
	end_value(out, at);
}

static void add_number(struct buf *out, enum flat_kind kind, uint64_t bits)
{
	size_t at = begin_value(out, kind);

	add_little_endian(out, bits, sizeof(bits));
	end_value(out, at);
}

static void add_real(struct buf *out, double real)
{
	uint64_t bits;

	memcpy(&bits, &real, sizeof(bits));
	add_number(out, FLAT_REAL, bits);
}

static void add_value(struct buf *out, const json_t *json);

static void add_array(struct buf *out, const json_t *json)
{
	size_t at = begin_value(out, FLAT_ARRAY);

	for (size_t i = 0; i < json_array_size(json); i++)
		add_value(out, json_array_get(json, i));
	end_value(out, at);
}

static void add_object(struct buf *out, const json_t *json)
{
	size_t at = begin_value(out, FLAT_OBJECT);
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)json, key, value) {
		add_text(out, key, strlen(key));
		add_value(out, value);
	}
	end_value(out, at);
}

/* As deep as json_parse() or our own code goes. */
static void add_value(struct buf *out, const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_NULL:
		(void)begin_value(out, FLAT_NULL);
		break;
	case JSON_FALSE:
		(void)begin_value(out, FLAT_FALSE);
		break;
	case JSON_TRUE:
		(void)begin_value(out, FLAT_TRUE);
		break;
	case JSON_INTEGER:
		add_number(out, FLAT_INTEGER, (uint64_t)json_integer_value(json));
		break;
	case JSON_REAL:
		add_real(out, json_real_value(json));
		break;
	case JSON_STRING:
		add_text(out, json_string_value(json), json_string_length(json));
		break;
	case JSON_ARRAY:
		add_array(out, json);
		break;
	case JSON_OBJECT:
		add_object(out, json);
		break;
	}
}

int flat_from_json(const json_t *json, struct buf *out, struct err *err)
{
	buf_add(out, FLAT_MAGIC, FLAT_MAGIC_LEN);
	add_value(out, json);
	if (buf_failed(out))
		return err_sys(err, ENOMEM, "cannot make the flat form");
	if (out->len > FLAT_MAX_BYTES)
		return err_set(err, ERR_INVALID, EFBIG, "the document is too large");
	return 0;
}

/* --- from it --- */

static json_t *make_value(const struct flat *value);

/* NULL without memory: the form has been checked. */
static json_t *make_array(const struct flat *value)
{
	struct flat rest = *value, one = FLAT_INIT;
	struct err ignored = ERR_INIT;
	json_t *array = json_array();

	while (array && flat_next(&rest, &one, &ignored) > 0) {
		if (json_array_append_new(array, make_value(&one)) < 0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static json_t *make_object(const struct flat *value)
{
	struct flat rest = *value, one = FLAT_INIT;
	struct err ignored = ERR_INIT;
	json_t *object = json_object();
	const char *key;

	while (object && flat_next_member(&rest, &key, &one, &ignored) > 0) {
		if (json_object_set_new(object, key, make_value(&one)) < 0) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

static json_t *make_value(const struct flat *value)
{
	switch (value->kind) {
	case FLAT_FALSE:
		return json_false();
	case FLAT_TRUE:
		return json_true();
	case FLAT_INTEGER:
		return json_integer(flat_integer(value));
	case FLAT_REAL:
		return json_real(flat_real(value));
	case FLAT_STRING:
		return json_string(value->data);
	case FLAT_ARRAY:
		return make_array(value);
	case FLAT_OBJECT:
		return make_object(value);
	default:
		return json_null();
	}
}

int flat_to_json(const void *form, size_t len, json_t **out, struct err *err)
{
	struct flat root = FLAT_INIT;
	json_t *json;
	int r = flat_check(form, len, err);

	if (r == 0)
		r = flat_open(form, len, &root, err);
	if (r < 0)
		return r;
	json = make_value(&root);
	if (!json)
		return err_sys(err, ENOMEM, "cannot read the flat form");
	*out = json;
	return 0;
}
