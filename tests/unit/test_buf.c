/* SPDX-License-Identifier: Apache-2.0 */
/* Growing buffers, and text made safe for a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/base/utf8.h"

static void assert_escaped(const char *text, size_t len, const char *expected)
{
	AUTO_BUF struct buf buf = BUF_INIT;

	buf_add_escaped(&buf, text, len);
	assert_false(buf_failed(&buf));
	assert_string_equal(buf.data ? buf.data : "", expected);
}

#define ESCAPED(literal, expected) assert_escaped(literal, sizeof(literal) - 1, expected)

static void test_grows_and_stays_terminated(void **state)
{
	AUTO_BUF struct buf buf = BUF_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		buf_addf(&buf, "%d,", i);
		assert_int_equal(buf.data[buf.len], '\0');
	}
	assert_int_equal(buf.len, strlen(buf.data));
	assert_memory_equal(buf.data, "0,1,2,", 6);
	assert_string_equal(buf.data + buf.len - 4, "999,");
	buf_reset(&buf);
	assert_string_equal(buf.data, "");
	buf_addstr(&buf, "ab");
	buf_addch(&buf, 'c');
	buf_add(&buf, "\0d", 2);
	assert_int_equal(buf.len, 5);
	assert_memory_equal(buf.data, "abc\0d", 6);
}

static void test_some_of_a_list(void **state)
{
	char *list[] = { "a", "b", "c", NULL };
	AUTO_BUF struct buf buf = BUF_INIT;

	(void)state;
	buf_add_some(&buf, NULL, 2);
	assert_int_equal(buf.len, 0);
	buf_add_some(&buf, list, 3);
	assert_string_equal(buf.data, "a, b, c");
	buf_reset(&buf);
	buf_add_some(&buf, list, 2);
	assert_string_equal(buf.data, "a, b and 1 more");
}

/* Every length, as short ones are copied in another way. */
static void test_what_is_added_is_there(void **state)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		AUTO_BUF struct buf buf = BUF_INIT;

		buf_addstr(&buf, "<");
		buf_add(&buf, text, len);
		assert_int_equal(buf.len, len + 1);
		assert_int_equal(buf.data[len + 1], '\0');
		assert_memory_equal(buf.data, "<", 1);
		assert_memory_equal(buf.data + 1, text, len);
	}
}

/* Wherever what is not plain stands, and whatever stands there. */
static void test_plain_text_ends_where_it_does(void **state)
{
	char text[20];

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++)
		for (int byte = 0; byte < 256; byte++) {
			const bool plain = byte >= 0x20 && byte < 0x7f;

			memset(text, 'x', sizeof(text));
			text[at] = (char)byte;
			assert_int_equal(utf8_plain_length(text, sizeof(text)),
					 plain ? sizeof(text) : at);
			assert_int_equal(utf8_plain_length(text, at), at);
		}
}

static void test_failure_sticks(void **state)
{
	AUTO_BUF struct buf buf = BUF_INIT;

	(void)state;
	buf_addstr(&buf, "x");
	buf_add(&buf, "y", SIZE_MAX / 2);
	assert_true(buf_failed(&buf));
	buf_addstr(&buf, "z");
	assert_string_equal(buf.data, "x");
	assert_null(buf_steal(&buf));
}

static void test_room_is_made_before_and_text_cut_after(void **state)
{
	AUTO_BUF struct buf buf = BUF_INIT;
	const char *data;

	(void)state;
	buf_truncate(&buf, 0);
	assert_null(buf.data);
	buf_reserve(&buf, 1000);
	assert_string_equal(buf.data, "");
	data = buf.data;
	for (int i = 0; i < 100; i++)
		buf_addstr(&buf, "0123456789");
	assert_ptr_equal(buf.data, data);
	buf_truncate(&buf, 2000);
	assert_int_equal(buf.len, 1000);
	buf_truncate(&buf, 11);
	assert_string_equal(buf.data, "01234567890");
	assert_int_equal(buf.len, 11);
	buf_fail(&buf);
	assert_true(buf_failed(&buf));
	buf_addch(&buf, 'x');
	assert_null(buf_steal(&buf));
}

static void test_steal_of_nothing_is_empty_text(void **state)
{
	struct buf buf = BUF_INIT;
	char *text;

	(void)state;
	text = buf_steal(&buf);
	assert_string_equal(text, "");
	free(text);
	assert_null(buf.data);
}

static void test_printable_text_is_kept(void **state)
{
	(void)state;
	ESCAPED("plain \\ text", "plain \\ text");
	ESCAPED("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa6", "grüß € 🐦");
	ESCAPED("", "");
}

static void test_controls_are_made_visible(void **state)
{
	(void)state;
	ESCAPED("a\nb\tc", "a\\nb\\tc");
	ESCAPED("\x1b[31mred\x07", "\\x1b[31mred\\x07");
	ESCAPED("\0x", "\\x00x");
	ESCAPED("\x7f", "\\x7f");
	/* CSI as one byte, and as UTF-8. */
	ESCAPED("\x9b", "\\x9b");
	ESCAPED("\xc2\x9b", "\\xc2\\x9b");
	ESCAPED("\xe2\x80\xae"
		"evil",
		"\\u{202e}evil");
	ESCAPED("\xe2\x81\xa6", "\\u{2066}");
}

static void test_bad_utf8_is_made_visible(void **state)
{
	(void)state;
	ESCAPED("\xff", "\\xff");
	ESCAPED("\xc3", "\\xc3");
	ESCAPED("\xe2\x82", "\\xe2\\x82");
	/* overlong "/" and NUL, a surrogate, above U+10FFFF */
	ESCAPED("\xc0\xaf", "\\xc0\\xaf");
	ESCAPED("\xe0\x80\x80", "\\xe0\\x80\\x80");
	ESCAPED("\xed\xa0\x80", "\\xed\\xa0\\x80");
	ESCAPED("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_and_stays_terminated),
		cmocka_unit_test(test_what_is_added_is_there),
		cmocka_unit_test(test_some_of_a_list),
		cmocka_unit_test(test_plain_text_ends_where_it_does),
		cmocka_unit_test(test_failure_sticks),
		cmocka_unit_test(test_room_is_made_before_and_text_cut_after),
		cmocka_unit_test(test_steal_of_nothing_is_empty_text),
		cmocka_unit_test(test_printable_text_is_kept),
		cmocka_unit_test(test_controls_are_made_visible),
		cmocka_unit_test(test_bad_utf8_is_made_visible),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
