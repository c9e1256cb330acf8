/* SPDX-License-Identifier: Apache-2.0 */
/* JSON without a tree: what is written is what jansson prints, and what it reads. */
#include "store/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/json.h"

/* To the byte, and the same as jansson makes of it when it has read it. */
static void assert_json(const struct buf *written, const char *expected)
{
	AUTO_JSON json_t *json = NULL;
	struct err err = ERR_INIT;
	char *again = NULL;

	assert_false(buf_failed(written));
	assert_string_equal(written->data, expected);
	if (json_parse("written", written->data, written->len, &json, &err) < 0 ||
	    json_print(json, false, &again, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(again, expected);
	free(again);
}

static void commas_are_between_what_is_beside_each_other(void **state)
{
	static char *const none[] = { NULL };
	static char *const words[] = { (char *)"x", (char *)"[", (char *)"", NULL };
	AUTO_BUF struct buf out = BUF_INIT;

	(void)state;
	json_begin_object(&out, NULL);
	json_add_string(&out, "s", "{");
	json_begin_array(&out, "a");
	json_begin_array(&out, NULL);
	json_end_array(&out);
	json_begin_object(&out, NULL);
	json_end_object(&out);
	json_add_bool(&out, NULL, true);
	json_begin_object(&out, NULL);
	json_add_bool(&out, "f", false);
	json_add_raw(&out, "r", "[1,{}]");
	json_end_object(&out);
	json_end_array(&out);
	json_add_strv(&out, "v", words);
	json_add_strv(&out, "empty", none);
	json_add_key(&out, "key=value", 3);
	json_begin_object(&out, NULL);
	json_add_int(&out, "", 1);
	json_end_object(&out);
	json_add_text(&out, "t", "xyz", 2);
	json_end_object(&out);
	assert_json(&out, "{\"s\":\"{\",\"a\":[[],{},true,{\"f\":false,\"r\":[1,{}]}],"
			  "\"v\":[\"x\",\"[\",\"\"],\"empty\":[],\"key\":{\"\":1},\"t\":\"xy\"}");
}

static void what_is_null_or_empty_can_be_left_out(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT;
	size_t before;

	(void)state;
	json_begin_object(&out, NULL);
	before = out.len;
	json_begin_object(&out, "first");
	json_end_object_or_drop(&out, before);
	json_add_string(&out, "null", NULL);
	json_add_strv(&out, "none", NULL);
	json_add_int(&out, "n", 1);
	before = out.len;
	json_begin_object(&out, "dropped");
	json_end_object_or_drop(&out, before);
	before = out.len;
	json_begin_object(&out, "kept");
	json_add_int(&out, "n", 2);
	json_end_object_or_drop(&out, before);
	json_end_object(&out);
	assert_json(&out, "{\"n\":1,\"kept\":{\"n\":2}}");
}

static void numbers_to_both_ends(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT;

	(void)state;
	json_begin_array(&out, NULL);
	json_add_int(&out, NULL, 0);
	json_add_int(&out, NULL, -1);
	json_add_int(&out, NULL, 10);
	json_add_int(&out, NULL, INT64_MAX);
	json_add_int(&out, NULL, INT64_MIN);
	json_end_array(&out);
	assert_json(&out, "[0,-1,10,9223372036854775807,-9223372036854775808]");
}

static void what_must_be_escaped_is(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT;

	(void)state;
	json_begin_object(&out, NULL);
	json_add_string(&out, "\"\\\n", "/\b\f\n\r\t\"\\");
	json_add_string(&out, "controls", "\x01 \x1b\x1f\x7f");
	json_add_string(&out, "utf-8", "\xc2\x85\"\xc3\xa9\xe2\x80\xa8x\xf0\x9f\x90\xa6\n");
	json_add_string(&out, "last", "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
	json_end_object(&out);
	assert_json(&out, "{\"\\\"\\\\\\n\":\"/\\b\\f\\n\\r\\t\\\"\\\\\","
			  "\"controls\":\"\\u0001 \\u001B\\u001F\x7f\","
			  "\"utf-8\":\"\xc2\x85\\\"\xc3\xa9\xe2\x80\xa8x\xf0\x9f\x90\xa6\\n\","
			  "\"last\":\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"}");
}

/* jansson does not read a NUL, unless it is told to. */
static void a_nul_is_escaped(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT;

	(void)state;
	json_add_text(&out, NULL, "a\0b", 3);
	assert_string_equal(out.data, "\"a\\u0000b\"");
}

static void what_is_not_utf8_is_refused(void **state)
{
	static const char *const texts[] = {
		"\xff",		 "plain \x80",	     "\xc3",
		"\xc3(",	 "\xc0\xaf",	     "\"\xe2\x82",
		"\xed\xa0\x80x", "\xf4\x90\x80\x80", "\xc3\xa9\n\xfe tail",
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(texts) / sizeof(texts[0]); i++) {
		AUTO_BUF struct buf out = BUF_INIT;
		const char *text = texts[i / 2];

		json_begin_object(&out, NULL);
		json_add_string(&out, i % 2 ? text : "key", i % 2 ? "value" : text);
		assert_true(buf_failed(&out));
		json_add_int(&out, "n", 1);
		json_end_object(&out);
		assert_null(buf_steal(&out));
	}
	{
		AUTO_BUF struct buf out = BUF_INIT;

		/* a sign that goes on behind the end */
		json_add_text(&out, NULL, "\xc3\xa9", 1);
		assert_true(buf_failed(&out));
	}
}

static void without_memory_nothing_is_added(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT, never = BUF_INIT;
	size_t len;

	(void)state;
	json_begin_object(&out, NULL);
	json_add_string(&out, "a", "b");
	len = out.len;
	buf_reserve(&out, SIZE_MAX / 2);
	assert_true(buf_failed(&out));
	json_begin_object(&out, "o");
	json_end_object_or_drop(&out, len);
	json_add_raw(&out, "r", "{}");
	json_add_bool(&out, "b", true);
	json_end_object(&out);
	assert_int_equal(out.len, len);
	assert_null(buf_steal(&out));

	/* nor where there was none from the beginning */
	buf_reserve(&never, SIZE_MAX / 2);
	json_begin_object(&never, NULL);
	json_end_object_or_drop(&never, 0);
	json_begin_array(&never, NULL);
	json_add_string(&never, NULL, "x");
	json_end_array(&never);
	assert_null(never.data);
	assert_null(buf_steal(&never));
}

static void long_texts_are_whole(void **state)
{
	enum { N = 100000 };
	AUTO_BUF struct buf out = BUF_INIT;
	char *text = malloc(N + 1);

	(void)state;
	memset(text, 'x', N);
	text[N] = '\0';
	text[N / 2] = '\n';
	json_add_string(&out, NULL, text);
	assert_false(buf_failed(&out));
	assert_int_equal(out.len, N + 3);
	assert_memory_equal(out.data + 1, text, N / 2);
	assert_memory_equal(out.data + 1 + N / 2, "\\n", 2);
	assert_memory_equal(out.data + 3 + N / 2, text + N / 2 + 1, N - N / 2 - 1);
	assert_string_equal(out.data + N + 2, "\"");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_are_between_what_is_beside_each_other),
		cmocka_unit_test(what_is_null_or_empty_can_be_left_out),
		cmocka_unit_test(numbers_to_both_ends),
		cmocka_unit_test(what_must_be_escaped_is),
		cmocka_unit_test(a_nul_is_escaped),
		cmocka_unit_test(what_is_not_utf8_is_refused),
		cmocka_unit_test(without_memory_nothing_is_added),
		cmocka_unit_test(long_texts_are_whole),
	};

	return cmocka_run_group_tests_name("json_write", tests, NULL, NULL);
}
