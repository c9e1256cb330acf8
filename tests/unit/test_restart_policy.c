/* SPDX-License-Identifier: Apache-2.0 */
/* Who is started again, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/restart_policy.h"

#define SECOND INT64_C(1000000000)

static struct container_record ended(enum container_restart restart, int exit_code, const char *by)
{
	return (struct container_record){
		.state = CONTAINER_EXITED,
		.started_ns = SECOND,
		.restart = restart,
		.exit_code = exit_code,
		.ended_by = (char *)by,
	};
}

static void test_at_the_end(void **state)
{
	static const struct {
		enum container_restart restart;
		int exit_code;
		const char *by;
		bool again, at_boot;
	} cases[] = {
		{ RESTART_NO, 1, NULL, false, false },
		{ RESTART_NO, 1, "shutdown", false, false },
		{ RESTART_ON_FAILURE, 0, NULL, false, false },
		{ RESTART_ON_FAILURE, 1, NULL, true, true },
		{ RESTART_ON_FAILURE, -1, NULL, true, true },
		{ RESTART_ON_FAILURE, 137, "kill SIGKILL", false, false },
		{ RESTART_ON_FAILURE, 137, "health", true, true },
		{ RESTART_ON_FAILURE, 0, "shutdown", false, true },
		{ RESTART_ALWAYS, 0, NULL, true, true },
		{ RESTART_ALWAYS, 0, "stop", false, true },
		{ RESTART_UNLESS_STOPPED, 0, NULL, true, true },
		{ RESTART_UNLESS_STOPPED, 0, "stop", false, false },
		{ RESTART_UNLESS_STOPPED, 0, "kill SIGTERM", false, false },
		{ RESTART_UNLESS_STOPPED, 143, "shutdown", false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct container_record record =
			ended(cases[i].restart, cases[i].exit_code, cases[i].by);

		if (restart_policy_wants(&record) != cases[i].again)
			fail_msg("case %zu: at the end", i);
		if (restart_policy_wants_at_boot(&record) != cases[i].at_boot)
			fail_msg("case %zu: at boot", i);
	}
}

static void test_limit(void **state)
{
	struct container_record record = ended(RESTART_ON_FAILURE, 1, NULL);

	(void)state;
	record.restart_max = 3;
	record.restart_count = 2;
	assert_true(restart_policy_wants(&record));
	record.restart_count = 3;
	assert_false(restart_policy_wants(&record));
	record.restart_max = 0;
	record.restart_count = 1000000;
	assert_true(restart_policy_wants(&record));
}

static void test_boot_leaves_alone(void **state)
{
	struct container_record record = ended(RESTART_ALWAYS, 0, NULL);

	(void)state;
	record.started_ns = 0;
	assert_false(restart_policy_wants_at_boot(&record));
	record.started_ns = SECOND;
	record.state = CONTAINER_RUNNING;
	assert_false(restart_policy_wants_at_boot(&record));
}

static void test_delay(void **state)
{
	int ms = 0;
	static const int expected[] = { 100,  200,   400,   800,   1600,  3200,
					6400, 12800, 25600, 51200, 60000, 60000 };

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		ms = restart_policy_delay_ms(ms, 9 * SECOND);
		assert_int_equal(ms, expected[i]);
	}
	assert_int_equal(restart_policy_delay_ms(60000, 10 * SECOND), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_the_end),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_boot_leaves_alone),
		cmocka_unit_test(test_delay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
