/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/seqpacket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/base/cleanup.h"

/* Room for the descriptors of one record, aligned as the macros of cmsg(3) want it. */
union rights {
	char bytes[CMSG_SPACE(sizeof(int) * SEQPACKET_FDS_MAX)];
	struct cmsghdr align;
};

int seqpacket_pair(int fds[2], struct err *err)
{
	int pair[2]; /* the kernel may write to it, and then fail */

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	fds[0] = pair[0];
	fds[1] = pair[1];
	return 0;
}

int seqpacket_send(int socket, const void *data, size_t len, const int *fds, size_t nfds)
{
	struct iovec part = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union rights control = { 0 };

	if (nfds > SEQPACKET_FDS_MAX)
		return -E2BIG;
	if (nfds > 0) {
		struct cmsghdr *rights;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(rights), fds, sizeof(int) * nfds);
	}
	while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
		/* A reset is told once; from then on the other side is gone. */
		if (errno != EINTR && errno != ECONNRESET)
			return -errno;
	return 0;
}

static void take_descriptors(struct msghdr *message, int *fds, size_t nfds)
{
	for (size_t i = 0; i < nfds; i++)
		fds[i] = -1;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		size_t len = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS &&
		    len <= sizeof(int) * nfds)
			memcpy(fds, CMSG_DATA(part), len);
	}
}

/*
 * A reset says, once, that the other side ended with something of ours unread; what it had to say
 * before that comes after it: unix(7).
 */
static ssize_t receive(int socket, struct msghdr *message, int flags)
{
	ssize_t len;

	do {
		len = recvmsg(socket, message, MSG_CMSG_CLOEXEC | flags);
	} while (len < 0 && (errno == EINTR || errno == ECONNRESET));
	return len;
}

ssize_t seqpacket_receive(int socket, void *data, size_t size, int *fds, size_t nfds)
{
	/* It ends with the last one: the kernel would put one more into the padding. */
	const size_t room = nfds > 0 ? CMSG_LEN(sizeof(int) * nfds) : 0;
	struct iovec part = { .iov_base = data, .iov_len = size };
	union rights control;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = room,
	};
	ssize_t len;

	if (nfds > SEQPACKET_FDS_MAX)
		return -E2BIG;
	len = receive(socket, &message, 0);

	/*
	 * The kernel looks for a record first, and then whether the other side is gone: of one that
	 * sends and ends in between, the record is there by now. Where there is none, this is the
	 * end.
	 */
	if (len == 0) {
		message.msg_controllen = room;
		len = receive(socket, &message, MSG_DONTWAIT);
	}
	if (len < 0)
		return -errno;
	take_descriptors(&message, fds, nfds);
	if (nfds > 0 && message.msg_flags & MSG_CTRUNC) {
		seqpacket_close_all(fds, nfds);
		return -EMFILE;
	}
	return len;
}

void seqpacket_close_all(int *fds, size_t nfds)
{
	for (size_t i = 0; i < nfds; i++)
		cleanup_close(&fds[i]);
}
