/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong: texts, wrapping, hints, and what a failure returns. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/err.h"

static void test_system_error_is_explained(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_sys(&err, ENOENT, "cannot open %s", "x"), -ENOENT);
	assert_int_equal(err.kind, ERR_SYS);
	assert_int_equal(err.num, ENOENT);
	assert_string_equal(err.text, "cannot open x: No such file or directory");
	assert_string_equal(err.hint, "");
}

static void test_a_failure_is_never_0(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&err, ERR_INVALID, 0, "bad"), -EINVAL);
	assert_int_equal(err_code(&err), -EINVAL);
	assert_string_equal(err.text, "bad");
}

static void test_wrapping_keeps_kind_number_and_hint(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_STATE, EBUSY, "it runs");
	assert_int_equal(err_hint(&err, "stop %s first", "it"), -EBUSY);
	assert_int_equal(err_wrap(&err, "container %d", 7), -EBUSY);
	assert_string_equal(err.text, "container 7: it runs");
	assert_string_equal(err.hint, "stop it first");
	assert_int_equal(err.kind, ERR_STATE);
}

static void test_a_name_is_not_said_twice(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_STATE, EBUSY, "bird is paused");
	assert_int_equal(err_wrap(&err, "%s", "bird"), -EBUSY);
	assert_string_equal(err.text, "bird is paused");
	err_wrap(&err, "%s", "bir");
	assert_string_equal(err.text, "bir: bird is paused");
	err_wrap(&err, "%s", "bir");
	assert_string_equal(err.text, "bir: bird is paused");
}

static void test_a_new_error_has_no_old_hint(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_STATE, EBUSY, "first");
	err_hint(&err, "old");
	err_sys(&err, EIO, "second");
	assert_string_equal(err.hint, "");
}

static void assert_ends_with(const char *text, const char *end)
{
	assert_true(strlen(text) >= strlen(end));
	assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void test_overlong_text_is_cut(void **state)
{
	struct err err = ERR_INIT;
	char text[3000], own_words[100];

	(void)state;
	snprintf(own_words, sizeof(own_words), "aaa: %s", strerror(EIO));
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_sys(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_ends_with(err.text, own_words);
	err_wrap(&err, "%s", "outer");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "outer: aaa", 10);
	assert_ends_with(err.text, own_words);
	err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "aaaaaa", 6);
	assert_ends_with(err.text, own_words);
	err_hint(&err, "%s", text);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_system_error_is_explained),
		cmocka_unit_test(test_a_failure_is_never_0),
		cmocka_unit_test(test_wrapping_keeps_kind_number_and_hint),
		cmocka_unit_test(test_a_name_is_not_said_twice),
		cmocka_unit_test(test_a_new_error_has_no_old_hint),
		cmocka_unit_test(test_overlong_text_is_cut),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
