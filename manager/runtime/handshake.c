/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/handshake.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "store/base/cleanup.h"

union control { /* room for one descriptor, aligned as the macros of cmsg(3) want it */
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int handshake_open(int fds[2], struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	fds[0] = pair[0];
	fds[1] = pair[1];
	return 0;
}

static int send_message(int fd, const struct message *message, int attached, struct err *err)
{
	struct iovec part = { (void *)message, sizeof(*message) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control = { 0 };
	ssize_t sent;

	if (attached >= 0) {
		struct cmsghdr *rights;

		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &attached, sizeof(int));
	}
	do {
		sent = sendmsg(fd, &header, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return err_sys(err, errno, "cannot send to the other side of the handshake");
	return 0;
}

int handshake_send(int fd, enum message_type type, int attached, struct err *err)
{
	struct message message = { .type = type };

	return send_message(fd, &message, attached, err);
}

int handshake_send_ready(int fd, const char *program, struct err *err)
{
	struct message message = { .type = MESSAGE_READY };

	snprintf(message.program, sizeof(message.program), "%s", program);
	return send_message(fd, &message, -1, err);
}

void handshake_send_failed(int fd, const char *phase, const struct err *failure)
{
	struct message message = { .type = MESSAGE_FAILED, .err = *failure };
	struct err ignored;

	snprintf(message.phase, sizeof(message.phase), "%s", phase);
	(void)send_message(fd, &message, -1, &ignored);
}

static int attached_descriptor(struct msghdr *header)
{
	struct cmsghdr *rights = CMSG_FIRSTHDR(header);
	int fd;

	if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
	    rights->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(rights), sizeof(int));
	return fd;
}

static bool is_valid(const struct message *message)
{
	return message->type >= MESSAGE_PROCEED && message->type <= MESSAGE_FAILED &&
	       memchr(message->phase, '\0', sizeof(message->phase)) &&
	       memchr(message->program, '\0', sizeof(message->program)) &&
	       memchr(message->err.text, '\0', sizeof(message->err.text)) &&
	       memchr(message->err.hint, '\0', sizeof(message->err.hint));
}

/*
 * A reset says, once, that the other side ended with something of ours unread; what it had to say
 * before that comes after it: unix(7).
 */
static ssize_t receive(int fd, struct msghdr *header, int flags)
{
	ssize_t len;

	do {
		len = recvmsg(fd, header, MSG_CMSG_CLOEXEC | flags);
	} while (len < 0 && (errno == EINTR || errno == ECONNRESET));
	return len;
}

int handshake_receive(int fd, struct message *out, int *attached, struct err *err)
{
	struct message message;
	struct iovec part = { &message, sizeof(message) };
	union control control;
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	AUTO_CLOSE int received = -1;
	ssize_t len;

	len = receive(fd, &header, 0);
	/*
	 * The kernel looks for a message first, and then whether the other side is gone: of one
	 * that sends and ends in between, the message is there by now.
	 */
	if (len == 0) {
		header.msg_controllen = sizeof(control);
		len = receive(fd, &header, MSG_DONTWAIT);
	}
	if (len < 0)
		return err_sys(err, errno, "cannot receive from the other side of the handshake");
	if (attached)
		*attached = -1;
	if (len == 0)
		return 0;
	received = attached_descriptor(&header);
	if (len != sizeof(message) || !is_valid(&message))
		return err_set(err, ERR_INVALID, EBADMSG, "malformed message in the handshake");
	*out = message;
	if (attached)
		*attached = STEAL_FD(received);
	return 1;
}

int handshake_await(int fd, enum message_type type, int *attached, struct err *err)
{
	struct message message = { 0 };
	AUTO_CLOSE int received = -1;
	int got = handshake_receive(fd, &message, &received, err);

	if (got < 0)
		return got;
	if (got == 0)
		return err_set(err, ERR_STATE, ECONNABORTED, "the parent is gone");
	if (message.type != type)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "message %u in the handshake where %u is due",
			       (unsigned)message.type, (unsigned)type);
	if (attached)
		*attached = STEAL_FD(received);
	return 0;
}
