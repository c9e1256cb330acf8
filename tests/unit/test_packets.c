/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int open_pair(void **state)
{
	static int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	*state = pair;
	return 0;
}

static int close_pair(void **state)
{
	int *pair = *state;

	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	return 0;
}

static void what_is_sent_arrives(void **state)
{
	int *pair = *state;
	struct err err = ERR_INIT;
	struct packet sent = { .type = PACKET_START };
	struct packet got = { 0 };

	memset(sent.start.id, 'a', CONTAINER_ID_LEN);
	strcpy(sent.start.name, "bird");
	sent.start.auto_remove = true;
	assert_int_equal(packet_send(pair[0], &sent, &err), 0);
	sent = (struct packet){ .type = PACKET_FAILED };
	err_set(&sent.failed.err, ERR_NO_PROGRAM, ENOENT, "no such bird");
	sent.failed.exit_code = 127;
	assert_int_equal(packet_send(pair[0], &sent, &err), 0);
	sent = (struct packet){ .type = PACKET_RESIZE, .size = { .rows = 24, .cols = 80 } };
	assert_int_equal(packet_send(pair[0], &sent, &err), 0);

	assert_int_equal(packet_receive(pair[1], &got, NULL, &err), 1);
	assert_int_equal(got.type, PACKET_START);
	assert_string_equal(got.start.name, "bird");
	assert_int_equal(strlen(got.start.id), CONTAINER_ID_LEN);
	assert_true(got.start.auto_remove);
	assert_int_equal(packet_receive(pair[1], &got, NULL, &err), 1);
	assert_int_equal(got.failed.exit_code, 127);
	assert_int_equal(got.failed.err.kind, ERR_NO_PROGRAM);
	assert_string_equal(got.failed.err.text, "no such bird");
	assert_int_equal(packet_receive(pair[1], &got, NULL, &err), 1);
	assert_int_equal(got.size.rows, 24);
	assert_int_equal(got.size.cols, 80);
}

static void descriptors_travel_along(void **state)
{
	int *pair = *state;
	struct err err = ERR_INIT;
	struct packet packet = { .type = PACKET_EXEC, .exec = { .pid = 7, .start_time = 9 } };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[PACKET_FDS_MAX] = { 77, 77, 77 };

	assert_true(null >= 0);
	assert_int_equal(packet_send_fds(pair[0], &packet, (int[]){ null, null, null }, 3, &err),
			 0);
	assert_int_equal(packet_send_fds(pair[0], &packet, &null, 1, &err), 0);
	assert_int_equal(packet_receive(pair[1], &packet, fds, &err), 1);
	assert_int_equal(packet.exec.start_time, 9);
	for (int i = 0; i < PACKET_FDS_MAX; i++) {
		assert_true(fds[i] > 2 && fds[i] != null);
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		close(fds[i]);
	}
	/* Those that are not wanted are closed: the next number is free again. */
	assert_int_equal(packet_receive(pair[1], &packet, NULL, &err), 1);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	close(null);
}

/* Half of them would be taken for other ones. */
static void descriptors_without_a_place_fail_the_packet(void **state)
{
	int *pair = *state;
	struct err err = ERR_INIT;
	struct packet packet = { .type = PACKET_EXEC };
	int fds[PACKET_FDS_MAX] = { -1, -1, -1 };
	struct rlimit before, few;
	int next = dup(0), again;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(packet_send_fds(pair[0], &packet, (int[]){ 0, 0, 0 }, 3, &err), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + 2;
	close(next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(packet_receive(pair[1], &packet, fds, &err), -EMFILE);
	assert_string_equal(err.text, "no descriptors are left for those that came with a packet");
	again = dup(0);
	assert_int_equal(again, next);
	close(again);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void the_other_side_may_be_gone(void **state)
{
	int *pair = *state;
	struct err err = ERR_INIT;
	struct packet packet = { .type = PACKET_EXITED, .exit_code = 3 };

	assert_int_equal(packet_send(pair[0], &packet, &err), 0);
	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(packet_receive(pair[1], &packet, NULL, &err), 1);
	assert_int_equal(packet.exit_code, 3);
	assert_int_equal(packet_receive(pair[1], &packet, NULL, &err), 0);
	/* No SIGPIPE, which would end this test. */
	assert_int_equal(packet_send(pair[1], &packet, &err), -EPIPE);
}

static void nothing_there_is_no_error(void **state)
{
	int *pair = *state;
	struct err err = ERR_INIT;
	struct packet packet;

	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(packet_receive(pair[1], &packet, NULL, &err), -EAGAIN);
	assert_int_equal(err.kind, ERR_NONE);
}

static void what_is_malformed_is_refused(void **state)
{
	int *pair = *state;
	struct packet packet = { .type = 999 };
	struct packet unterminated = { .type = PACKET_START };
	struct err err = ERR_INIT;

	assert_int_equal(send(pair[0], &packet, sizeof(packet.type), 0), sizeof(packet.type));
	assert_true(packet_receive(pair[1], &packet, NULL, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	packet.type = PACKET_EXITED;
	assert_int_equal(send(pair[0], &packet, sizeof(packet.type), 0), sizeof(packet.type));
	assert_true(packet_receive(pair[1], &packet, NULL, &err) < 0);
	assert_int_equal(send(pair[0], "x", 1, 0), 1);
	assert_true(packet_receive(pair[1], &packet, NULL, &err) < 0);

	/* Text that does not end is ended. */
	memset(&unterminated.start, 'x', sizeof(unterminated.start));
	unterminated.start.auto_remove = unterminated.start.adopt = false;
	assert_int_equal(packet_send(pair[0], &unterminated, &err), 0);
	assert_int_equal(packet_receive(pair[1], &packet, NULL, &err), 1);
	assert_int_equal(strlen(packet.start.id), CONTAINER_ID_LEN);
	assert_int_equal(strlen(packet.start.name), CONTAINER_NAME_MAX);
}

static void another_than_was_expected_is_refused(void **state)
{
	int *pair = *state;
	struct packet packet = { .type = PACKET_OPEN, .open = { .log_level = 3 } };
	struct err err = ERR_INIT;
	int fds[PACKET_FDS_MAX] = { -1, -1, -1 };
	int next = dup(0), again;

	close(next);
	assert_int_equal(packet_send(pair[0], &packet, &err), 0);
	assert_int_equal(packet_expect(pair[1], PACKET_OPEN, &packet, NULL, "no store", &err), 1);
	assert_int_equal(packet.open.log_level, 3);
	packet.type = PACKET_EXEC;
	assert_int_equal(packet_send_fds(pair[0], &packet, (int[]){ 0, 0 }, 2, &err), 0);
	assert_int_equal(packet_expect(pair[1], PACKET_OPEN, &packet, fds, "no store", &err),
			 -EPROTO);
	assert_string_equal(err.text, "no store");
	again = dup(0);
	assert_int_equal(again, next);
	close(again);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		TEST(what_is_sent_arrives),
		TEST(descriptors_travel_along),
		TEST(descriptors_without_a_place_fail_the_packet),
		TEST(the_other_side_may_be_gone),
		TEST(nothing_there_is_no_error),
		TEST(what_is_malformed_is_refused),
		TEST(another_than_was_expected_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
