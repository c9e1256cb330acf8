/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_FLAT_H
#define CMAN_STORE_FLAT_H

/*
 * The flat form of a JSON document. Foreign JSON is parsed by a process that can do nothing
 * (image/parse.h); what that makes of it is this form, which whoever has powers over the host
 * reads: nothing in it is to be interpreted, and no length leads out of what is around it.
 *
 *	form    = "CMF1" value
 *	value   = kind (1 byte), length of the payload (4 bytes, little endian), payload
 *	payload   null, false, true: none
 *		  integer: 8 bytes, little endian; real: 8 bytes of IEEE 754, the same way
 *		  string: UTF-8 without NUL, and then a NUL
 *		  array: values; object: a string and a value for each member, in their order
 *
 * One document has one form: equal documents can be told by it.
 *
 * All of these take any bytes: what a form holds is looked at only within its bounds, and a string
 * always ends. flat_check() looks at the rest: UTF-8, nesting, how many there are, that a real is
 * finite. ERR_CORRUPT where the form is damaged.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

#define FLAT_MAGIC "CMF1"
#define FLAT_MAGIC_LEN 4
/* More than any document within the limits of store/json.h has. */
#define FLAT_MAX_BYTES (12u << 20)

enum flat_kind {
	FLAT_NULL,
	FLAT_FALSE,
	FLAT_TRUE,
	FLAT_INTEGER,
	FLAT_REAL,
	FLAT_STRING,
	FLAT_ARRAY,
	FLAT_OBJECT,
};

/* A value, borrowed from its form. */
struct flat {
	enum flat_kind kind;
	const char *data; /* the payload */
	size_t len;
};

#define FLAT_INIT                        \
	{                                \
		.kind = FLAT_NULL, "", 0 \
	}

/* The value of a form. */
int flat_open(const void *form, size_t len, struct flat *out, struct err *err);

/* The same of a form that nobody has looked at: all of it is right, or it is ERR_CORRUPT. */
int flat_check(const void *form, size_t len, struct err *err);

/*
 * Walk over an array, or an object: `rest` is a copy of it, and has in it what is still to come.
 * 1: there was one, 0: that was all.
 */
int flat_next(struct flat *rest, struct flat *value, struct err *err);
int flat_next_member(struct flat *rest, const char **key, struct flat *value, struct err *err);

/* How many there are in an array (0 in null), or members in an object. */
int flat_count(const struct flat *value, size_t *out, struct err *err);

/* Of a string, which ends; NULL of anything else. */
const char *flat_string(const struct flat *value);
int64_t flat_integer(const struct flat *value); /* 0 of anything else */
double flat_real(const struct flat *value);	/* 0 of anything else */

/*
 * Members of an object, as in store/json.h: missing (or null) gives 0 and leaves *out as it was; a
 * wrong type gives ERR_INVALID naming the key. Strings and values are borrowed.
 */
int flat_get_string(const struct flat *object, const char *key, const char **out, struct err *err);
int flat_get_int(const struct flat *object, const char *key, int64_t *out, struct err *err);
int flat_get_bool(const struct flat *object, const char *key, bool *out, struct err *err);
int flat_get_object(const struct flat *object, const char *key, struct flat *out, struct err *err);
int flat_get_array(const struct flat *object, const char *key, struct flat *out, struct err *err);
/* An array of strings as a NULL-terminated vector to be freed with strv_free(). */
int flat_get_strv(const struct flat *object, const char *key, char ***out, struct err *err);

#endif
