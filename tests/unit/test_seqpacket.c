/* SPDX-License-Identifier: Apache-2.0 */
/* seqpacket_receive(): descriptors come whole, or are closed. */
#include "store/base/seqpacket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MOST (SEQPACKET_FDS_MAX + 2)

static int open_pair(void **state)
{
	static int pair[2];
	struct err err = ERR_INIT;

	*state = pair;
	return seqpacket_pair(pair, &err);
}

static int close_pair(void **state)
{
	const int *pair = *state;

	close(pair[0]);
	close(pair[1]);
	return 0;
}

static int count_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Past seqpacket_send(), which sends no more than it would take. */
static void send_null(int socket, int nfds)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * MOST)];
		struct cmsghdr align;
	} control = { 0 };
	char word[] = "word";
	struct iovec part = { .iov_base = word, .iov_len = sizeof(word) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)nfds),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	int fds[MOST];

	for (int i = 0; i < nfds; i++) {
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)nfds);
	memcpy(CMSG_DATA(rights), fds, sizeof(int) * (size_t)nfds);
	assert_int_equal(sendmsg(socket, &message, 0), sizeof(word));
	for (int i = 0; i < nfds; i++)
		close(fds[i]);
}

static void as_many_as_there_is_room_for(void **state)
{
	const int *pair = *state;
	const int before = count_open();
	int fds[SEQPACKET_FDS_MAX];
	char word[16];

	for (int n = 1; n <= SEQPACKET_FDS_MAX; n++) {
		send_null(pair[0], n);
		assert_int_equal(
			seqpacket_receive(pair[1], word, sizeof(word), fds, SEQPACKET_FDS_MAX), 5);
		for (int i = 0; i < SEQPACKET_FDS_MAX; i++)
			assert_int_equal(fds[i] >= 0, i < n);
		seqpacket_close_all(fds, SEQPACKET_FDS_MAX);
		assert_int_equal(count_open(), before);
	}
}

static void more_are_closed_all(void **state)
{
	const int *pair = *state;
	const int before = count_open();
	int fds[SEQPACKET_FDS_MAX];
	char word[16];

	for (int n = SEQPACKET_FDS_MAX + 1; n <= MOST; n++) {
		send_null(pair[0], n);
		assert_int_equal(
			seqpacket_receive(pair[1], word, sizeof(word), fds, SEQPACKET_FDS_MAX),
			-EMFILE);
		assert_int_equal(count_open(), before);
		/* and where none are wanted */
		send_null(pair[0], n);
		assert_int_equal(seqpacket_receive(pair[1], word, sizeof(word), NULL, 0), 5);
		assert_int_equal(count_open(), before);
	}
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(as_many_as_there_is_room_for),
		WITH_PAIR(more_are_closed_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
