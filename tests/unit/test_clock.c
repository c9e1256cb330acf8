/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/clock.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_wait_never_ends_before_its_deadline(void **state)
{
	(void)state;
	assert_int_equal(clock_ms_until(1000 + 5 * NS_PER_MS, 1000), 5);
	assert_int_equal(clock_ms_until(1000 + 5 * NS_PER_MS + 1, 1000), 6);
	assert_int_equal(clock_ms_until(1001, 1000), 1);
}

static void what_has_passed_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(clock_ms_until(1000, 1000), 0);
	assert_int_equal(clock_ms_until(0, INT64_MAX), 0);
	assert_int_equal(clock_poll_timeout(0), 0);
}

static void a_wait_of_years_is_one_that_poll_takes(void **state)
{
	(void)state;
	assert_int_equal(clock_ms_until(INT64_MAX, 0), INT_MAX);
	assert_int_equal(clock_poll_timeout(INT64_MAX), INT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_never_ends_before_its_deadline),
		cmocka_unit_test(what_has_passed_is_not_waited_for),
		cmocka_unit_test(a_wait_of_years_is_one_that_poll_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
