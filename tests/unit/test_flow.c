/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TOTAL 500000

static char text[TOTAL];

/* The child writes `text` to `fd`, and ends. */
static void write_all_in_child(int fd, int unused)
{
	if (fork() != 0)
		return;
	close(unused);
	for (size_t at = 0; at < TOTAL;) {
		ssize_t n = write(fd, text + at, TOTAL - at);

		if (n < 0)
			_exit(1);
		at += (size_t)n;
	}
	_exit(0);
}

/* Run the flow to its end while reading what arrives; `from` and `to` are the flow's. */
static void check_copy(int from, int to, int reader)
{
	static char got[TOTAL];
	struct flow flow;
	size_t received = 0;
	enum flow_result result = FLOW_GOES_ON;

	flow_init(&flow, from, to, NULL);
	while (received < TOTAL) {
		struct pollfd fds[2] = { flow_poll(&flow), { .fd = reader, .events = POLLIN } };

		if (result != FLOW_GOES_ON)
			fds[0].fd = -1;
		assert_true(poll(fds, 2, 5000) > 0);
		if (fds[0].revents)
			result = flow_step(&flow);
		if (fds[1].revents) {
			ssize_t n = read(reader, got + received, TOTAL - received);

			assert_true(n > 0);
			received += (size_t)n;
		}
	}
	while (result == FLOW_GOES_ON)
		result = flow_step(&flow);
	assert_int_equal(result, FLOW_ENDED);
	assert_memory_equal(got, text, TOTAL);
	flow_release(&flow);
}

static void pipe_to_pipe(void **state)
{
	int source[2], sink[2];

	(void)state;
	assert_int_equal(pipe2(source, O_CLOEXEC), 0);
	assert_int_equal(pipe2(sink, O_CLOEXEC), 0);
	write_all_in_child(source[1], source[0]);
	close(source[1]);
	check_copy(source[0], sink[1], sink[0]);
	close(source[0]);
	close(sink[0]);
	close(sink[1]);
}

/* No splice between these: by the buffer. */
static void socket_to_socket(void **state)
{
	int source[2], sink[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, source), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sink), 0);
	write_all_in_child(source[1], source[0]);
	close(source[1]);
	check_copy(source[0], sink[1], sink[0]);
	close(source[0]);
	close(sink[0]);
	close(sink[1]);
}

/* splice(2) refuses a file that was opened to append: it goes on by the buffer. */
static void to_a_file_that_is_appended_to(void **state)
{
	char path[] = "/tmp/cman-flow-XXXXXX";
	struct flow flow;
	int source[2];
	int file = mkstemp(path);
	int append = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	char got[16] = "";
	enum flow_result result;

	(void)state;
	assert_int_equal(pipe2(source, O_CLOEXEC), 0);
	assert_int_equal(write(append, "one\n", 4), 4);
	assert_int_equal(write(source[1], "two\n", 4), 4);
	close(source[1]);
	flow_init(&flow, source[0], append, NULL);
	do
		result = flow_step(&flow);
	while (result == FLOW_GOES_ON);
	assert_int_equal(result, FLOW_ENDED);
	assert_int_equal(read(file, got, sizeof(got)), 8);
	assert_string_equal(got, "one\ntwo\n");
	flow_release(&flow);
	close(source[0]);
	close(file);
	close(append);
	unlink(path);
}

static void a_reader_that_is_gone(void **state)
{
	struct flow flow;
	int source[2], sink[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(source, O_CLOEXEC), 0);
	assert_int_equal(pipe2(sink, O_CLOEXEC), 0);
	close(sink[0]);
	assert_int_equal(write(source[1], "x", 1), 1);
	flow_init(&flow, source[0], sink[1], NULL);
	assert_int_equal(flow_step(&flow), FLOW_BROKEN);
	assert_int_equal(errno, EPIPE);
	flow_release(&flow);
	close(source[0]);
	close(source[1]);
	close(sink[1]);
}

static void keys_end_it(void **state)
{
	struct detach_keys keys;
	struct err err = ERR_INIT;
	struct flow flow;
	int source[2], sink[2];
	char got[16] = "";

	(void)state;
	assert_int_equal(detach_keys_parse(DETACH_KEYS_DEFAULT, &keys, &err), 0);
	assert_int_equal(pipe2(source, O_CLOEXEC), 0);
	assert_int_equal(pipe2(sink, O_CLOEXEC), 0);
	assert_int_equal(write(source[1], "ab\x10\x11xy", 6), 6);
	flow_init(&flow, source[0], sink[1], &keys);
	assert_int_equal(flow_step(&flow), FLOW_DETACHED);
	assert_true(flow_has_pending(&flow));
	assert_int_equal(flow_step(&flow), FLOW_GOES_ON);
	assert_int_equal(read(sink[0], got, sizeof(got)), 2);
	assert_string_equal(got, "ab");
	flow_release(&flow);
	for (int i = 0; i < 2; i++) {
		close(source[i]);
		close(sink[i]);
	}
}

static void a_flow_from_nowhere_waits_for_nothing(void **state)
{
	struct flow flow;

	(void)state;
	flow_init(&flow, -1, STDOUT_FILENO, NULL);
	assert_int_equal(flow_poll(&flow).fd, -1);
	flow_release(&flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipe_to_pipe),
		cmocka_unit_test(socket_to_socket),
		cmocka_unit_test(to_a_file_that_is_appended_to),
		cmocka_unit_test(a_reader_that_is_gone),
		cmocka_unit_test(keys_end_it),
		cmocka_unit_test(a_flow_from_nowhere_waits_for_nothing),
	};

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 251);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
