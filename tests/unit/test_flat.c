/* SPDX-License-Identifier: Apache-2.0 */
/* Documents in flat form: store/flat.c, store/flat_json.c. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/flat.h"
#include "store/flat_json.h"
#include "store/json.h"

#define DOCUMENT                                                                            \
	"{\"s\":\"text\",\"e\":\"\",\"u\":\"\xc3\xa9\xf0\x9f\x90\xa6\",\"i\":-2,\"max\":"   \
	"9223372036854775807,\"r\":0.1,\"t\":true,\"f\":false,\"n\":null,\"a\":[\"x\",\"\"" \
	",\"y\"],\"o\":{\"k\":{\"deep\":[[],{}]}},\"mixed\":[\"x\",1],\"\":0}"

static void flatten(const char *json, struct buf *out)
{
	AUTO_JSON json_t *root = NULL;
	struct err err = ERR_INIT;

	if (json_parse("t", json, strlen(json), &root, &err) < 0 ||
	    flat_from_json(root, out, &err) < 0)
		fail_msg("%s", err.text);
}

static struct flat open_form(const struct buf *form)
{
	struct flat root = FLAT_INIT;
	struct err err = ERR_INIT;

	if (flat_check(form->data, form->len, &err) < 0 ||
	    flat_open(form->data, form->len, &root, &err) < 0)
		fail_msg("%s", err.text);
	return root;
}

/* --- what is right --- */

static void test_all_kinds(void **state)
{
	AUTO_BUF struct buf form = BUF_INIT;
	AUTO_STRV char **words = NULL;
	const char *text = "untouched";
	struct flat root, value = FLAT_INIT;
	struct err err = ERR_INIT;
	int64_t number = 77;
	bool flag = false;

	(void)state;
	flatten(DOCUMENT, &form);
	root = open_form(&form);
	assert_int_equal(flat_get_string(&root, "n", &text, &err), 0);
	assert_int_equal(flat_get_string(&root, "missing", &text, &err), 0);
	assert_string_equal(text, "untouched");
	assert_int_equal(flat_get_string(&root, "s", &text, &err), 0);
	assert_string_equal(text, "text");
	assert_int_equal(flat_get_string(&root, "e", &text, &err), 0);
	assert_string_equal(text, "");
	assert_int_equal(flat_get_string(&root, "u", &text, &err), 0);
	assert_string_equal(text, "\xc3\xa9\xf0\x9f\x90\xa6");
	assert_int_equal(flat_get_int(&root, "n", &number, &err), 0);
	assert_int_equal(number, 77);
	assert_int_equal(flat_get_int(&root, "i", &number, &err), 0);
	assert_int_equal(number, -2);
	assert_int_equal(flat_get_int(&root, "max", &number, &err), 0);
	assert_true(number == INT64_MAX);
	assert_int_equal(flat_get_int(&root, "", &number, &err), 0);
	assert_int_equal(number, 0);
	assert_int_equal(flat_get_bool(&root, "t", &flag, &err), 0);
	assert_true(flag);
	assert_int_equal(flat_get_bool(&root, "f", &flag, &err), 0);
	assert_false(flag);
	assert_int_equal(flat_get_strv(&root, "n", &words, &err), 0);
	assert_null(words);
	assert_int_equal(flat_get_strv(&root, "a", &words, &err), 0);
	assert_string_equal(words[0], "x");
	assert_string_equal(words[1], "");
	assert_string_equal(words[2], "y");
	assert_null(words[3]);
	assert_int_equal(flat_get_object(&root, "o", &value, &err), 0);
	assert_int_equal(flat_get_object(&value, "k", &value, &err), 0);
	assert_int_equal(flat_get_array(&value, "deep", &value, &err), 0);
	assert_int_equal(value.kind, FLAT_ARRAY);
}

/* Every value, and in its order, comes back. */
static void test_there_and_back(void **state)
{
	AUTO_BUF struct buf form = BUF_INIT;
	AUTO_JSON json_t *json = NULL;
	AUTO_FREE char *text = NULL;
	struct err err = ERR_INIT;

	(void)state;
	flatten(DOCUMENT, &form);
	assert_int_equal(flat_to_json(form.data, form.len, &json, &err), 0);
	/* jansson prints a real with all of its digits. */
	assert_true(json_real_value(json_object_get(json, "r")) == 0.1);
	json_object_del(json, "r");
	assert_int_equal(json_print(json, false, &text, &err), 0);
	assert_string_equal(
		text, "{\"s\":\"text\",\"e\":\"\",\"u\":\"\xc3\xa9\xf0\x9f\x90\xa6\",\"i\":-2,"
		      "\"max\":9223372036854775807,\"t\":true,\"f\":false,\"n\":null,"
		      "\"a\":[\"x\",\"\",\"y\"],\"o\":{\"k\":{\"deep\":[[],{}]}},"
		      "\"mixed\":[\"x\",1],\"\":0}");
}

/* The bytes are kept: they are as the header says, on every machine. */
static void test_the_bytes(void **state)
{
	static const char expected[] = "CMF1\7\x20\0\0\0"
				       "\5\2\0\0\0a\0\3\x8\0\0\0\2\1\0\0\0\0\0\0"
				       "\5\2\0\0\0b\0\6\0\0\0\0";
	AUTO_BUF struct buf form = BUF_INIT;

	(void)state;
	flatten("{\"a\":258,\"b\":[]}", &form);
	assert_int_equal(form.len, sizeof(expected) - 1);
	assert_memory_equal(form.data, expected, form.len);
}

static void test_a_walk(void **state)
{
	AUTO_BUF struct buf form = BUF_INIT;
	struct flat rest, value;
	struct err err = ERR_INIT;
	const char *key;

	(void)state;
	flatten("{\"a\":0.5,\"b\":\"x\"}", &form);
	rest = open_form(&form);
	assert_int_equal(flat_next_member(&rest, &key, &value, &err), 1);
	assert_string_equal(key, "a");
	assert_true(flat_real(&value) == 0.5);
	assert_null(flat_string(&value));
	assert_int_equal(flat_integer(&value), 0);
	assert_int_equal(flat_next_member(&rest, &key, &value, &err), 1);
	assert_string_equal(flat_string(&value), "x");
	assert_true(flat_real(&value) == 0);
	assert_int_equal(flat_next_member(&rest, &key, &value, &err), 0);
}

/* --- wrong types, in the words of store/json.h --- */

static void test_wrong_types(void **state)
{
	AUTO_BUF struct buf form = BUF_INIT;
	const char *text = NULL;
	struct flat root, string = { FLAT_STRING, "", 1 };
	struct err err = ERR_INIT;
	char **words = NULL;
	int64_t number;
	bool flag;

	(void)state;
	flatten(DOCUMENT, &form);
	root = open_form(&form);
	assert_int_equal(flat_get_string(&root, "i", &text, &err), -EINVAL);
	assert_string_equal(err.text, "\"i\" is not a string");
	assert_int_equal(err.kind, ERR_INVALID);
	assert_int_equal(flat_get_int(&root, "r", &number, &err), -EINVAL);
	assert_string_equal(err.text, "\"r\" is not a whole number");
	assert_int_equal(flat_get_bool(&root, "s", &flag, &err), -EINVAL);
	assert_string_equal(err.text, "\"s\" is not true or false");
	assert_int_equal(flat_get_object(&root, "a", &root, &err), -EINVAL);
	assert_string_equal(err.text, "\"a\" is not an object");
	assert_int_equal(flat_get_array(&root, "o", &root, &err), -EINVAL);
	assert_string_equal(err.text, "\"o\" is not an array");
	assert_int_equal(flat_get_strv(&root, "mixed", &words, &err), -EINVAL);
	assert_string_equal(err.text, "\"mixed\": element 1 is not a string");
	assert_null(words);
	assert_int_equal(flat_get_string(&string, "x", &text, &err), -EINVAL);
	assert_string_equal(err.text, "\"x\": what should hold it is no object");
}

/* --- what is damaged --- */

static void assert_damaged(const char *form, size_t len)
{
	/* Of its own size, so that a sanitizer sees a read behind it. */
	AUTO_FREE char *copy = malloc(len ? len : 1);
	struct err err = ERR_INIT;
	json_t *json = NULL;

	assert_non_null(copy);
	memcpy(copy, form, len);
	assert_int_equal(flat_check(copy, len, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_string_equal(err.text, "the flat form is damaged");
	assert_int_equal(flat_to_json(copy, len, &json, &err), -EBADMSG);
	assert_null(json);
}

#define ASSERT_DAMAGED(text) assert_damaged(text, sizeof(text) - 1)

static void test_every_truncation(void **state)
{
	AUTO_BUF struct buf form = BUF_INIT;

	(void)state;
	flatten(DOCUMENT, &form);
	for (size_t len = 0; len < form.len; len++)
		assert_damaged(form.data, len);
	/* And something behind it. */
	buf_addch(&form, '\0');
	assert_damaged(form.data, form.len);
}

/* Whatever a byte is changed to, nothing is read that is not there, and what is read has an end. */
static void test_every_byte_changed(void **state)
{
	AUTO_BUF struct buf form = BUF_INIT;

	(void)state;
	flatten(DOCUMENT, &form);
	for (size_t i = 0; i < form.len; i++) {
		for (int value = 0; value < 256; value += 15) {
			AUTO_FREE char *copy = malloc(form.len);
			struct flat root = FLAT_INIT;
			const char *text = "";
			char **words = NULL;
			struct err err = ERR_INIT;

			assert_non_null(copy);
			memcpy(copy, form.data, form.len);
			copy[i] = (char)value;
			if (flat_open(copy, form.len, &root, &err) == 0) {
				(void)!flat_get_string(&root, "u", &text, &err);
				(void)!flat_get_strv(&root, "mixed", &words, &err);
				assert_true(strlen(text) < form.len);
				strv_free(words);
			}
			(void)!flat_check(copy, form.len, &err);
		}
	}
}

static void test_wild_forms(void **state)
{
	AUTO_BUF struct buf deep = BUF_INIT;
	AUTO_BUF struct buf many = BUF_INIT;
	double infinite = INFINITY;
	char real[] = "CMF1\4\x8\0\0\0........";

	(void)state;
	ASSERT_DAMAGED("CMF2\0\0\0\0\0");  /* another version */
	ASSERT_DAMAGED("CMF1\x8\0\0\0\0"); /* no kind */
	ASSERT_DAMAGED("CMF1\0\1\0\0\0x"); /* null has no payload */
	ASSERT_DAMAGED("CMF1\5\xff\xff\xff\xff"
		       "a"); /* lengths that lead out */
	ASSERT_DAMAGED("CMF1\5\0\0\0\x80"
		       "a");
	ASSERT_DAMAGED("CMF1\6\6\0\0\0\5\2\0\0\0a"); /* of what is around it */
	ASSERT_DAMAGED("CMF1\3\7\0\0\0aaaaaaa");     /* a number too short */
	ASSERT_DAMAGED("CMF1\5\0\0\0\0");	     /* strings without their NUL */
	ASSERT_DAMAGED("CMF1\5\2\0\0\0aa");
	ASSERT_DAMAGED("CMF1\5\4\0\0\0a\0a\0");	 /* with another in it */
	ASSERT_DAMAGED("CMF1\5\3\0\0\0\xc3x\0"); /* not UTF-8 */
	ASSERT_DAMAGED("CMF1\7\xc\0\0\0\5\2\0\0\0\xff\0\0\0\0\0\0");
	ASSERT_DAMAGED("CMF1\7\7\0\0\0\5\2\0\0\0a\0");	       /* a key without a value */
	ASSERT_DAMAGED("CMF1\7\xa\0\0\0\0\0\0\0\0\0\0\0\0\0"); /* that is no string */
	memcpy(real + 9, &infinite, sizeof(infinite));
	assert_damaged(real, sizeof(real) - 1);
	/* 65 levels, from the inside. */
	buf_addstr(&deep, FLAT_MAGIC);
	for (int level = JSON_MAX_DEPTH; level >= 0; level--) {
		const char head[5] = { FLAT_ARRAY, (char)(level * 5 & 0xff),
				       (char)(level * 5 >> 8) };

		buf_add(&deep, head, sizeof(head));
	}
	assert_damaged(deep.data, deep.len);
	/* One value more than a document may have. */
	buf_addstr(&many, FLAT_MAGIC);
	buf_add(&many, "\6\5\0\x14\0", 5); /* 5 * (JSON_MAX_VALUES + 1) */
	for (size_t i = 0; i < JSON_MAX_VALUES + 1; i++)
		buf_add(&many, "\0\0\0\0\0", 5);
	assert_damaged(many.data, many.len);
}

/* What is within the limits of a document is within those of a form. */
static void test_large_documents(void **state)
{
	AUTO_FREE char *text = malloc(JSON_MAX_BYTES + 1);
	AUTO_BUF struct buf form = BUF_INIT;
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	text[len++] = '[';
	while (len < 2 * (size_t)JSON_MAX_VALUES - 1) {
		text[len++] = '1';
		text[len++] = ',';
	}
	text[len - 1] = ']';
	text[len] = '\0';
	flatten(text, &form);
	(void)open_form(&form);
	buf_reset(&form);
	memset(text, '[', JSON_MAX_DEPTH);
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	text[2 * JSON_MAX_DEPTH] = '\0';
	flatten(text, &form);
	(void)open_form(&form);
	buf_reset(&form);
	memset(text, 'x', JSON_MAX_BYTES);
	memcpy(text, "[\"", 2);
	memcpy(text + JSON_MAX_BYTES - 2, "\"]", 3);
	flatten(text, &form);
	(void)open_form(&form);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_kinds),	   cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_the_bytes),	   cmocka_unit_test(test_a_walk),
		cmocka_unit_test(test_wrong_types),	   cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_every_byte_changed), cmocka_unit_test(test_wild_forms),
		cmocka_unit_test(test_large_documents),
	};

	return cmocka_run_group_tests_name("flat", tests, NULL, NULL);
}
