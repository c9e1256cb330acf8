/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads that were interrupted and go on. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/fd.h"
#include "store/partials.h"
#include "store/store.h"
#include "tests/unit/scratch.h"

#define KEY "https://user:secret@example.org/x.tar"

static void open_store(void **state, struct store *store)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;

	if (store_open(s->path, store, &err) < 0)
		fail_msg("%s", err.text);
}

static void open_partial(struct store *store, struct partial *partial)
{
	struct err err = ERR_INIT;

	if (partial_open(store, KEY, partial, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_goes_on_after_a_close(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct partial partial = PARTIAL_INIT;
	struct err err = ERR_INIT;
	char text[8] = "";

	open_store(state, &store);
	open_partial(&store, &partial);
	assert_int_equal(partial.size, 0);
	assert_null(partial.validator);
	/* printf %s KEY | sha256sum */
	assert_string_equal(partial.name, "partial-c5675b6a1235b827b6102b9fb8881180"
					  "2cf79c79a1b3526e8e8e72909ae368a0");
	assert_int_equal(partial_set_validator(&store, &partial, "\"etag-1\"", &err), 0);
	assert_string_equal(partial.validator, "\"etag-1\"");
	assert_int_equal(fd_write_all(partial.fd, "12345", 5), 0);
	partial_close(&partial);
	assert_int_equal(partial.fd, -1);

	open_partial(&store, &partial);
	assert_int_equal(partial.size, 5);
	assert_string_equal(partial.validator, "\"etag-1\"");
	assert_int_equal(fd_read_all(partial.fd, text, 8), 5);
	assert_string_equal(text, "12345");
	assert_int_equal(fcntl(partial.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);

	assert_int_equal(partial_truncate(&partial, &err), 0);
	assert_int_equal(partial.size, 0);
	assert_null(partial.validator);
	assert_int_equal(lseek(partial.fd, 0, SEEK_CUR), 0);
	partial_close(&partial);

	/* No bytes, so the validator that is still beside them says nothing. */
	open_partial(&store, &partial);
	assert_int_equal(partial.size, 0);
	assert_null(partial.validator);
	partial_close(&partial);
}

static void test_without_a_validator(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct partial partial = PARTIAL_INIT;
	struct err err = ERR_INIT;
	char longest[5000];

	open_store(state, &store);
	open_partial(&store, &partial);
	assert_int_equal(partial_set_validator(&store, &partial, "old", &err), 0);
	assert_int_equal(partial_set_validator(&store, &partial, NULL, &err), 0);
	assert_int_equal(partial_set_validator(&store, &partial, NULL, &err), 0);
	assert_int_equal(fd_write_all(partial.fd, "12345", 5), 0);
	partial_close(&partial);
	open_partial(&store, &partial);
	assert_int_equal(partial.size, 5);
	assert_null(partial.validator);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(partial_set_validator(&store, &partial, longest, &err), -EFBIG);
	partial_close(&partial);
}

static void test_discard_leaves_nothing(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct partial partial = PARTIAL_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	open_partial(&store, &partial);
	assert_int_equal(partial_set_validator(&store, &partial, "v", &err), 0);
	assert_int_equal(fd_write_all(partial.fd, "12345", 5), 0);
	assert_int_equal(partial_discard(&store, &partial, &err), 0);
	assert_int_equal(partial.fd, -1);
	/* Empty but for itself: rmdir(2) says so. */
	assert_int_equal(unlinkat(store.root_fd, "tmp", AT_REMOVEDIR), 0);
}

static void test_one_holder_at_a_time(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct partial partial = PARTIAL_INIT, second = PARTIAL_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	open_partial(&store, &partial);
	assert_int_equal(partial_open(&store, KEY, &second, &err), -EAGAIN);
	assert_int_equal(err.kind, ERR_STATE);
	assert_string_equal(err.text, "another process is downloading the same");
	assert_int_equal(second.fd, -1);
	assert_int_equal(partial_open(&store, "another key", &second, &err), 0);
	partial_close(&second);
	partial_close(&partial);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_goes_on_after_a_close),
		SCRATCH_TEST(test_without_a_validator),
		SCRATCH_TEST(test_discard_leaves_nothing),
		SCRATCH_TEST(test_one_holder_at_a_time),
	};

	return cmocka_run_group_tests_name("partials", tests, NULL, NULL);
}
