/* SPDX-License-Identifier: Apache-2.0 */
#include "store/flat.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/base/utf8.h"
#include "store/json.h"

#define HEAD_LEN 5 /* kind and length */
#define NUMBER_LEN 8

static int damaged(struct err *err)
{
	return err_set(err, ERR_CORRUPT, EBADMSG, "the flat form is damaged");
}

static uint64_t little_endian(const char *bytes, size_t n)
{
	uint64_t number = 0;

	while (n-- > 0)
		number = number << 8 | (unsigned char)bytes[n];
	return number;
}

/* Whether a payload can be what its kind says; what is in an array or object is seen later. */
static bool is_payload(unsigned char kind, const char *data, size_t len)
{
	switch (kind) {
	case FLAT_NULL:
	case FLAT_FALSE:
	case FLAT_TRUE:
		return len == 0;
	case FLAT_INTEGER:
	case FLAT_REAL:
		return len == NUMBER_LEN;
	case FLAT_STRING:
		return len > 0 && memchr(data, '\0', len) == data + len - 1;
	case FLAT_ARRAY:
	case FLAT_OBJECT:
		return true;
	default:
		return false;
	}
}

/* Take the value that *data begins with. */
static int take(const char **data, size_t *left, struct flat *out, struct err *err)
{
	unsigned char kind;
	uint64_t len;

	if (*left < HEAD_LEN)
		return damaged(err);
	kind = (unsigned char)**data;
	len = little_endian(*data + 1, HEAD_LEN - 1);
	if (len > *left - HEAD_LEN || !is_payload(kind, *data + HEAD_LEN, (size_t)len))
		return damaged(err);
	*out = (struct flat){ (enum flat_kind)kind, *data + HEAD_LEN, (size_t)len };
	*data += HEAD_LEN + (size_t)len;
	*left -= HEAD_LEN + (size_t)len;
	return 0;
}

int flat_open(const void *form, size_t len, struct flat *out, struct err *err)
{
	const char *data = form;
	struct flat root = FLAT_INIT;
	int r;

	if (len < FLAT_MAGIC_LEN || len > FLAT_MAX_BYTES ||
	    memcmp(form, FLAT_MAGIC, FLAT_MAGIC_LEN) != 0)
		return damaged(err);
	data += FLAT_MAGIC_LEN;
	len -= FLAT_MAGIC_LEN;
	r = take(&data, &len, &root, err);
	if (r == 0 && len > 0)
		r = damaged(err);
	if (r == 0)
		*out = root;
	return r;
}

int flat_next(struct flat *rest, struct flat *value, struct err *err)
{
	int r;

	if (rest->len == 0)
		return 0;
	r = take(&rest->data, &rest->len, value, err);
	return r < 0 ? r : 1;
}

int flat_next_member(struct flat *rest, const char **key, struct flat *value, struct err *err)
{
	struct flat name = FLAT_INIT;
	int r = flat_next(rest, &name, err);

	if (r <= 0)
		return r;
	if (name.kind != FLAT_STRING || rest->len == 0)
		return damaged(err);
	*key = name.data;
	return flat_next(rest, value, err);
}

int flat_count(const struct flat *value, size_t *out, struct err *err)
{
	struct flat rest = *value, one = FLAT_INIT;
	size_t n = 0;
	const char *key;
	int r;

	do {
		r = value->kind == FLAT_OBJECT ? flat_next_member(&rest, &key, &one, err) :
						 flat_next(&rest, &one, err);
		n += r > 0;
	} while (r > 0);
	*out = n;
	return r;
}

/* --- all of it --- */

static int check_value(const struct flat *value, int depth, int *count, struct err *err);

static int check_all_in(const struct flat *value, int depth, int *count, struct err *err)
{
	struct flat rest = *value, one = FLAT_INIT;
	const char *key;
	int r;

	if (depth == JSON_MAX_DEPTH)
		return damaged(err);
	for (;;) {
		r = value->kind == FLAT_ARRAY ? flat_next(&rest, &one, err) :
						flat_next_member(&rest, &key, &one, err);
		if (r > 0 && value->kind == FLAT_OBJECT && !utf8_is_valid(key))
			r = damaged(err);
		if (r > 0)
			r = check_value(&one, depth + 1, count, err);
		if (r <= 0)
			return r;
	}
}

/* 1: go on. */
static int check_value(const struct flat *value, int depth, int *count, struct err *err)
{
	int r = 0;

	/* The limit of store/json.h counts what opens and separates: the first is beside it. */
	if (++*count > JSON_MAX_VALUES + 1)
		return damaged(err);
	if ((value->kind == FLAT_STRING && !utf8_is_valid(value->data)) ||
	    (value->kind == FLAT_REAL && !isfinite(flat_real(value))))
		return damaged(err);
	if (value->kind == FLAT_ARRAY || value->kind == FLAT_OBJECT)
		r = check_all_in(value, depth, count, err);
	return r < 0 ? r : 1;
}

int flat_check(const void *form, size_t len, struct err *err)
{
	struct flat root;
	int count = 0;
	int r = flat_open(form, len, &root, err);

	if (r == 0)
		r = check_value(&root, 0, &count, err);
	return r < 0 ? r : 0;
}

/* --- values --- */

const char *flat_string(const struct flat *value)
{
	return value->kind == FLAT_STRING ? value->data : NULL;
}

int64_t flat_integer(const struct flat *value)
{
	return value->kind == FLAT_INTEGER ? (int64_t)little_endian(value->data, NUMBER_LEN) : 0;
}

double flat_real(const struct flat *value)
{
	uint64_t bits = little_endian(value->data, value->kind == FLAT_REAL ? NUMBER_LEN : 0);
	double real;

	memcpy(&real, &bits, sizeof(real));
	return real;
}

/* --- members --- */

/* Of the kind `kind` (or `also`); kind FLAT_NULL where it is missing or null. */
static int get_member(const struct flat *object, const char *key, enum flat_kind kind,
		      enum flat_kind also, const char *kind_name, struct flat *out, struct err *err)
{
	struct flat rest = *object, value = FLAT_INIT;
	const char *name;
	int r;

	if (object->kind != FLAT_OBJECT)
		return err_set(err, ERR_INVALID, EINVAL, "\"%s\": what should hold it is no object",
			       key);
	while ((r = flat_next_member(&rest, &name, &value, err)) > 0 && strcmp(name, key) != 0)
		;
	if (r < 0)
		return r;
	if (r == 0)
		value = (struct flat)FLAT_INIT;
	if (value.kind != FLAT_NULL && value.kind != kind && value.kind != also)
		return err_set(err, ERR_INVALID, EINVAL, "\"%s\" is not %s", key, kind_name);
	*out = value;
	return 0;
}

int flat_get_string(const struct flat *object, const char *key, const char **out, struct err *err)
{
	struct flat value = FLAT_INIT;
	int r = get_member(object, key, FLAT_STRING, FLAT_STRING, "a string", &value, err);

	if (r == 0 && value.kind != FLAT_NULL)
		*out = value.data;
	return r;
}

int flat_get_int(const struct flat *object, const char *key, int64_t *out, struct err *err)
{
	struct flat value = FLAT_INIT;
	int r = get_member(object, key, FLAT_INTEGER, FLAT_INTEGER, "a whole number", &value, err);

	if (r == 0 && value.kind != FLAT_NULL)
		*out = flat_integer(&value);
	return r;
}

int flat_get_bool(const struct flat *object, const char *key, bool *out, struct err *err)
{
	struct flat value = FLAT_INIT;
	int r = get_member(object, key, FLAT_TRUE, FLAT_FALSE, "true or false", &value, err);

	if (r == 0 && value.kind != FLAT_NULL)
		*out = value.kind == FLAT_TRUE;
	return r;
}

int flat_get_object(const struct flat *object, const char *key, struct flat *out, struct err *err)
{
	struct flat value = FLAT_INIT;
	int r = get_member(object, key, FLAT_OBJECT, FLAT_OBJECT, "an object", &value, err);

	if (r == 0 && value.kind != FLAT_NULL)
		*out = value;
	return r;
}

int flat_get_array(const struct flat *object, const char *key, struct flat *out, struct err *err)
{
	struct flat value = FLAT_INIT;
	int r = get_member(object, key, FLAT_ARRAY, FLAT_ARRAY, "an array", &value, err);

	if (r == 0 && value.kind != FLAT_NULL)
		*out = value;
	return r;
}

int flat_get_strv(const struct flat *object, const char *key, char ***out, struct err *err)
{
	struct flat array = FLAT_INIT, value;
	AUTO_STRV char **strings = NULL;
	size_t n = 0, i = 0;
	int r = flat_get_array(object, key, &array, err);

	if (r == 0)
		r = flat_count(&array, &n, err);
	if (r < 0 || array.kind == FLAT_NULL)
		return r;
	strings = calloc(n + 1, sizeof(*strings));
	if (!strings)
		return err_sys(err, ENOMEM, "cannot read \"%s\"", key);
	while ((r = flat_next(&array, &value, err)) > 0) {
		const char *text = flat_string(&value);

		if (!text)
			return err_set(err, ERR_INVALID, EINVAL,
				       "\"%s\": element %zu is not a string", key, i);
		strings[i] = strdup(text);
		if (!strings[i++])
			return err_sys(err, ENOMEM, "cannot read \"%s\"", key);
	}
	if (r == 0)
		*out = STEAL_PTR(strings);
	return r;
}
