/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from others: bounded, and taken with its types checked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/strv.h"
#include "store/json.h"

static json_t *parse(const char *text)
{
	struct err err = ERR_INIT;
	json_t *json = NULL;

	if (json_parse("t", text, strlen(text), &json, &err) < 0)
		fail_msg("%s", err.text);
	return json;
}

static void assert_refused(const char *text, size_t len, const char *why)
{
	struct err err = ERR_INIT;
	json_t *json = NULL;

	assert_true(json_parse("doc", text, len, &json, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.text, why);
	assert_null(json);
}

static void test_parse_errors_have_a_place(void **state)
{
	(void)state;
	assert_refused("{\n \"a\": ,}", 10, "doc: line 2 column 7: unexpected token near ','");
	assert_refused("", 0, "doc: line 1 column 0: '[' or '{' expected near end of file");
	assert_refused("{\"a\":1,\"a\":2}", 13,
		       "doc: line 1 column 10: duplicate object key near '\"a\"'");
	assert_refused("[1]x", 4, "doc: line 1 column 4: end of file expected near 'x'");
}

static void test_values_are_bounded(void **state)
{
	static char text[2 * (JSON_MAX_VALUES + 1) + 1];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "0,", 2);
	text[0] = '[';
	text[1] = '0';
	/* The bracket, the commas, and one more. */
	assert_refused(text, sizeof(text) - 1, "doc: line 1 column 524290: too many values");
}

static void test_depth_is_bounded(void **state)
{
	char text[200];
	json_t *json = NULL;

	(void)state;
	memset(text, '[', 100);
	memset(text + 100, ']', 100);
	assert_refused(text, 200, "doc: line 1 column 65: nested too deeply");
	json = parse("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
		     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	json_release(&json);
	/* Brackets within strings are none, whatever is escaped there. */
	json = parse(
		"[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\\"]");
	json_release(&json);
	assert_null(json);
}

static void test_size_is_bounded(void **state)
{
	size_t len = JSON_MAX_BYTES + 1;
	char *text = malloc(len);

	(void)state;
	memset(text, ' ', len);
	assert_refused(text, len, "doc is larger than 4194304 bytes");
	free(text);
}

static void test_members(void **state)
{
	AUTO_JSON json_t *json = parse("{\"s\":\"x\",\"i\":-5,\"t\":true,\"f\":false,\"o\":{},"
				       "\"a\":[],\"n\":null,\"v\":[\"p\",\"q\"]}");
	struct err err = ERR_INIT;
	const char *text = "default";
	int64_t number = 77;
	bool truth = false;
	json_t *value = NULL;
	char **v = NULL;

	(void)state;
	assert_int_equal(json_get_string(json, "s", &text, &err), 0);
	assert_string_equal(text, "x");
	assert_int_equal(json_get_int(json, "i", &number, &err), 0);
	assert_int_equal(number, -5);
	assert_int_equal(json_get_bool(json, "t", &truth, &err), 0);
	assert_true(truth);
	assert_int_equal(json_get_bool(json, "f", &truth, &err), 0);
	assert_false(truth);
	assert_int_equal(json_get_object(json, "o", &value, &err), 0);
	assert_true(json_is_object(value));
	assert_int_equal(json_get_array(json, "a", &value, &err), 0);
	assert_true(json_is_array(value));
	assert_int_equal(json_get_strv(json, "v", &v, &err), 0);
	assert_int_equal(strv_len(v), 2);
	assert_string_equal(v[1], "q");
	strv_free(v);
}

static void test_missing_and_null_leave_the_default(void **state)
{
	AUTO_JSON json_t *json = parse("{\"n\":null}");
	struct err err = ERR_INIT;
	const char *text = "default";
	int64_t number = 77;
	char **v = NULL;

	(void)state;
	assert_int_equal(json_get_string(json, "n", &text, &err), 0);
	assert_int_equal(json_get_string(json, "missing", &text, &err), 0);
	assert_string_equal(text, "default");
	assert_int_equal(json_get_int(json, "missing", &number, &err), 0);
	assert_int_equal(number, 77);
	assert_int_equal(json_get_strv(json, "n", &v, &err), 0);
	assert_null(v);
}

static void test_wrong_types_are_named(void **state)
{
	AUTO_JSON json_t *json = parse("{\"i\":1.5,\"s\":1,\"v\":[\"a\",2],\"t\":\"true\"}");
	struct err err = ERR_INIT;
	const char *text = NULL;
	int64_t number = 0;
	bool truth;
	char **v = NULL;

	(void)state;
	assert_int_equal(json_get_string(json, "s", &text, &err), -EINVAL);
	assert_string_equal(err.text, "\"s\" is not a string");
	assert_int_equal(json_get_int(json, "i", &number, &err), -EINVAL);
	assert_string_equal(err.text, "\"i\" is not a whole number");
	assert_int_equal(json_get_bool(json, "t", &truth, &err), -EINVAL);
	assert_string_equal(err.text, "\"t\" is not true or false");
	assert_int_equal(json_get_strv(json, "v", &v, &err), -EINVAL);
	assert_string_equal(err.text, "\"v\": element 1 is not a string");
	assert_null(v);
	assert_int_equal(json_get_string(json_object_get(json, "v"), "k", &text, &err), -EINVAL);
	assert_string_equal(err.text, "\"k\": what should hold it is no object");
}

static void test_print(void **state)
{
	AUTO_JSON json_t *json = parse("{ \"b\": [1, 2], \"a\": \"\\u00fc\" }");
	struct err err = ERR_INIT;
	char *text = NULL;

	(void)state;
	assert_int_equal(json_print(json, false, &text, &err), 0);
	assert_string_equal(text, "{\"b\":[1,2],\"a\":\"ü\"}");
	free(text);
	assert_int_equal(json_print(json, true, &text, &err), 0);
	assert_string_equal(text, "{\n  \"b\": [\n    1,\n    2\n  ],\n  \"a\": \"ü\"\n}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_errors_have_a_place),
		cmocka_unit_test(test_values_are_bounded),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_size_is_bounded),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_missing_and_null_leave_the_default),
		cmocka_unit_test(test_wrong_types_are_named),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
