/* SPDX-License-Identifier: Apache-2.0 */
/* Who watches a directory is told, and looks again a few times. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/fd.h"
#include "store/watch.h"
#include "tests/unit/scratch.h"

static void write_to(const struct scratch *scratch, const char *name)
{
	struct err err = ERR_INIT;

	if (fd_replace_file(scratch->fd, name, 0600, "x", 1, false, &err) < 0)
		fail_msg("%s", err.text);
}

static int wait_for(const struct watch *watch)
{
	struct pollfd poll_fd = { .fd = watch->fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0);
}

static void what_is_written_is_looked_for_again(void **state)
{
	const struct scratch *scratch = *state;
	AUTO_WATCH struct watch watch = WATCH_INIT;
	const int looks[] = { 2, 16, 128, 1024, -1, -1 };

	assert_int_equal(watch_add(&watch, scratch->fd), 0);
	assert_int_equal(watch_timeout(&watch, -1), looks[0]);
	for (int times = 0; times < 3; times++) {
		if (times > 0)
			write_to(scratch, "file");
		assert_int_equal(wait_for(&watch), times > 0);
		for (size_t i = times > 0 ? 0 : 1; i < sizeof(looks) / sizeof(looks[0]); i++) {
			watch_woken(&watch);
			assert_int_equal(wait_for(&watch), 0);
			assert_int_equal(watch_timeout(&watch, -1), looks[i]);
		}
	}
}

static void who_waits_for_less_is_not_kept(void **state)
{
	const struct scratch *scratch = *state;
	AUTO_WATCH struct watch watch = WATCH_INIT;

	assert_int_equal(watch_add(&watch, scratch->fd), 0);
	write_to(scratch, "file");
	watch_woken(&watch);
	assert_int_equal(watch_timeout(&watch, 1), 1);
	assert_int_equal(watch_timeout(&watch, 7), 2);
}

static void nothing_but_a_directory_is_watched(void **state)
{
	AUTO_WATCH struct watch watch = WATCH_INIT;

	(void)state;
	assert_int_equal(watch_timeout(&watch, 7), 7);
	watch_woken(&watch);
	assert_int_equal(watch_timeout(&watch, -1), -1);
	assert_int_equal(watch_add(&watch, -1), -ENOENT);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_is_written_is_looked_for_again),
		SCRATCH_TEST(who_waits_for_less_is_not_kept),
		cmocka_unit_test(nothing_but_a_directory_is_watched),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
