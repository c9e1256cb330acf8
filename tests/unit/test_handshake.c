/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/handshake.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2];

static int open_pair(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	return handshake_open(ends, &err);
}

static int close_pair(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	return 0;
}

static void close_end(int i)
{
	close(ends[i]);
	ends[i] = -1;
}

static void both_ends_are_closed_by_execve(void **state)
{
	(void)state;
	assert_true(fcntl(ends[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(ends[1], F_GETFD) & FD_CLOEXEC);
}

static void a_failure_arrives_as_it_was_sent(void **state)
{
	struct err failure = ERR_INIT, err = ERR_INIT;
	struct message message;

	(void)state;
	err_set(&failure, ERR_NO_PROGRAM, ENOENT, "no program");
	err_hint(&failure, "look again");
	handshake_send_failed(ends[1], "program", &failure);
	assert_int_equal(handshake_receive(ends[0], &message, NULL, &err), 1);
	assert_int_equal(message.type, MESSAGE_FAILED);
	assert_string_equal(message.phase, "program");
	assert_int_equal(message.err.kind, ERR_NO_PROGRAM);
	assert_int_equal(message.err.num, ENOENT);
	assert_string_equal(message.err.text, "no program");
	assert_string_equal(message.err.hint, "look again");
}

static void a_descriptor_travels(void **state)
{
	struct err err = ERR_INIT;
	struct message message;
	struct stat here, there;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int attached = -2;

	(void)state;
	assert_int_equal(handshake_send(ends[1], MESSAGE_CONSOLE, null, &err), 0);
	assert_int_equal(handshake_receive(ends[0], &message, &attached, &err), 1);
	assert_int_equal(message.type, MESSAGE_CONSOLE);
	assert_true(attached >= 0 && attached != null);
	assert_true(fcntl(attached, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fstat(null, &here), 0);
	assert_int_equal(fstat(attached, &there), 0);
	assert_true(here.st_rdev == there.st_rdev);
	close(attached);

	/* one that nobody asked for is not left open */
	assert_int_equal(handshake_send(ends[1], MESSAGE_CONSOLE, null, &err), 0);
	assert_int_equal(handshake_receive(ends[0], &message, NULL, &err), 1);
	assert_int_equal(fcntl(attached, F_GETFD), -1);
	close(null);
}

static void an_end_of_file_is_no_message(void **state)
{
	struct err err = ERR_INIT;
	struct message message;
	int attached = 7;

	(void)state;
	close_end(1);
	assert_int_equal(handshake_receive(ends[0], &message, &attached, &err), 0);
	assert_int_equal(attached, -1);
}

static void a_child_without_a_parent_gives_up(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	close_end(0);
	assert_true(handshake_await(ends[1], MESSAGE_PROCEED, NULL, &err) < 0);
	assert_string_equal(err.text, "the parent is gone");
	assert_int_equal(handshake_send_ready(ends[1], "/bin/sh", &err), -EPIPE);
}

static void messages_keep_their_order_and_kind(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(handshake_send(ends[0], MESSAGE_PROCEED, -1, &err), 0);
	assert_int_equal(handshake_send(ends[0], MESSAGE_START, -1, &err), 0);
	assert_int_equal(handshake_await(ends[1], MESSAGE_PROCEED, NULL, &err), 0);
	assert_true(handshake_await(ends[1], MESSAGE_PROCEED, NULL, &err) < 0);
	assert_string_equal(err.text, "message 4 in the handshake where 1 is due");
}

static void what_is_no_message_is_refused(void **state)
{
	struct err err = ERR_INIT;
	struct message message, out = { .type = 99 };

	(void)state;
	assert_int_equal(send(ends[1], "hello", 5, 0), 5);
	assert_true(handshake_receive(ends[0], &out, NULL, &err) < 0);
	memset(&message, 'x', sizeof(message)); /* of the right size, but no text ends */
	message.type = MESSAGE_FAILED;
	assert_int_equal(send(ends[1], &message, sizeof(message), 0), sizeof(message));
	assert_true(handshake_receive(ends[0], &out, NULL, &err) < 0);
	assert_string_equal(err.text, "malformed message in the handshake");
	memset(&message, 0, sizeof(message));
	assert_int_equal(send(ends[1], &message, sizeof(message), 0), sizeof(message));
	assert_true(handshake_receive(ends[0], &out, NULL, &err) < 0);
	assert_int_equal(out.type, 99);
}

static void a_long_program_is_cut(void **state)
{
	struct err err = ERR_INIT;
	struct message message;
	char path[4096];

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(handshake_send_ready(ends[1], path, &err), 0);
	assert_int_equal(handshake_receive(ends[0], &message, NULL, &err), 1);
	assert_int_equal(message.type, MESSAGE_READY);
	assert_int_equal(strlen(message.program), sizeof(message.program) - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_are_closed_by_execve),
		TEST(a_failure_arrives_as_it_was_sent),
		TEST(a_descriptor_travels),
		TEST(an_end_of_file_is_no_message),
		TEST(a_child_without_a_parent_gives_up),
		TEST(messages_keep_their_order_and_kind),
		TEST(what_is_no_message_is_refused),
		TEST(a_long_program_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
