/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/processors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void ranges_are_taken_in_turn(void **state)
{
	const char *list = "0-3,8,10-11\n";
	unsigned first, last;

	(void)state;
	assert_true(processors_next(&list, &first, &last));
	assert_int_equal(first, 0);
	assert_int_equal(last, 3);
	assert_true(processors_next(&list, &first, &last));
	assert_int_equal(first, 8);
	assert_int_equal(last, 8);
	assert_true(processors_next(&list, &first, &last));
	assert_int_equal(first, 10);
	assert_int_equal(last, 11);
	assert_false(processors_next(&list, &first, &last));
	assert_string_equal(list, "\n");
}

static void what_is_no_range_ends_the_list(void **state)
{
	static const char *const wrong[] = { "",    "\n",     "-1",    "a",	  "3-",
					     "3-1", "0x1-0-", "65536", "0-65536", "99999999999" };
	unsigned first = 7, last = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *list = wrong[i];

		if (strcmp(wrong[i], "0x1-0-") == 0)
			assert_true(processors_next(&list, &first, &last));
		first = last = 7;
		assert_false(processors_next(&list, &first, &last));
		assert_int_equal(first, 7);
		assert_int_equal(last, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_taken_in_turn),
		cmocka_unit_test(what_is_no_range_ends_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
