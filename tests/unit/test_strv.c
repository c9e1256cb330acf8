/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of strings and the environment kept in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/strv.h"

static void test_null_is_empty(void **state)
{
	(void)state;
	assert_int_equal(strv_len(NULL), 0);
	assert_null(strv_get_env(NULL, "A"));
	strv_free(NULL);
}

static void test_add_and_extend(void **state)
{
	AUTO_STRV char **v = NULL;
	char *more[] = { (char *)"b", (char *)"c", NULL };

	(void)state;
	assert_int_equal(strv_add(&v, "a"), 0);
	assert_int_equal(strv_extend(&v, more), 0);
	assert_int_equal(strv_extend(&v, NULL), 0);
	assert_int_equal(strv_len(v), 3);
	assert_string_equal(v[0], "a");
	assert_string_equal(v[2], "c");
	assert_null(v[3]);
	assert_ptr_not_equal(v[1], more[0]);
}

static void test_environment(void **state)
{
	AUTO_STRV char **v = NULL;

	(void)state;
	assert_int_equal(strv_set_env(&v, "PATH=/bin"), 0);
	assert_int_equal(strv_set_env(&v, "PATHS=x"), 0);
	assert_int_equal(strv_set_env(&v, "EMPTY="), 0);
	assert_int_equal(strv_set_env(&v, "PATH=/usr/bin=1"), 0);
	assert_int_equal(strv_len(v), 3);
	assert_string_equal(v[0], "PATH=/usr/bin=1");
	assert_string_equal(strv_get_env(v, "PATH"), "/usr/bin=1");
	assert_string_equal(strv_get_env(v, "PATHS"), "x");
	assert_string_equal(strv_get_env(v, "EMPTY"), "");
	assert_null(strv_get_env(v, "PAT"));
}

static void test_the_last_of_each_key_stays(void **state)
{
	static const char *const given[] = { "B=1", "A=1", "C",	 "AB=1", "A=2",
					     "B=",  "A=3", "C=", "D",	 NULL };
	static const char *const left[] = { "B=", "A=3", "C=", "AB=1", "D", NULL };
	AUTO_STRV char **v = NULL;

	(void)state;
	assert_int_equal(strv_unique_env(NULL), 0);
	for (size_t i = 0; given[i]; i++)
		assert_int_equal(strv_add(&v, given[i]), 0);
	assert_int_equal(strv_unique_env(v), 0);
	assert_int_equal(strv_len(v), 5);
	for (size_t i = 0; left[i]; i++)
		assert_string_equal(v[i], left[i]);
	assert_int_equal(strv_unique_env(v), 0);
	assert_int_equal(strv_len(v), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_null_is_empty),
		cmocka_unit_test(test_add_and_extend),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_the_last_of_each_key_stays),
	};

	return cmocka_run_group_tests_name("strv", tests, NULL, NULL);
}
