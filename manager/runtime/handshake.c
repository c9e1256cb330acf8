/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/handshake.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/seqpacket.h"

int handshake_open(int fds[2], struct err *err)
{
	return seqpacket_pair(fds, err);
}

static int send_message(int fd, const struct message *message, int attached, struct err *err)
{
	int result = seqpacket_send(fd, message, sizeof(*message), &attached, attached >= 0);

	return result < 0 ?
		       err_sys(err, -result, "cannot send to the other side of the handshake") :
		       0;
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

static bool is_valid(const struct message *message)
{
	return message->type >= MESSAGE_PROCEED && message->type <= MESSAGE_FAILED &&
	       memchr(message->phase, '\0', sizeof(message->phase)) &&
	       memchr(message->program, '\0', sizeof(message->program)) &&
	       memchr(message->err.text, '\0', sizeof(message->err.text)) &&
	       memchr(message->err.hint, '\0', sizeof(message->err.hint));
}

int handshake_receive(int fd, struct message *out, int *attached, struct err *err)
{
	struct message message;
	AUTO_CLOSE int received = -1;
	ssize_t len = seqpacket_receive(fd, &message, sizeof(message), &received, 1);
	int result = 1;

	if (len < 0)
		return err_sys(err, (int)-len,
			       "cannot receive from the other side of the handshake");
	if (len == 0)
		result = 0;
	else if (len != sizeof(message) || !is_valid(&message))
		result = err_set(err, ERR_INVALID, EBADMSG, "malformed message in the handshake");
	if (result > 0)
		*out = message;
	if (result >= 0 && attached)
		*attached = STEAL_FD(received);
	return result;
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
