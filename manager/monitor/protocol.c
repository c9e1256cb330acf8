/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/protocol.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/base/cleanup.h"

/* Bytes of a message of that type: the head and its own member, 0 for an unknown one. */
static size_t packet_size_of(uint32_t type)
{
#define WITH(member) (offsetof(struct packet, member) + sizeof(((struct packet *)NULL)->member))
	switch (type) {
	case PACKET_OPEN:
		return WITH(open);
	case PACKET_START:
		return WITH(start);
	case PACKET_EXEC:
		return WITH(exec);
	case PACKET_STARTED:
		return WITH(started);
	case PACKET_FAILED:
		return WITH(failed);
	case PACKET_AGAIN:
		return offsetof(struct packet, number);
	case PACKET_EXITED:
		return WITH(exit_code);
	case PACKET_SIGNAL:
		return WITH(number);
	case PACKET_RESIZE:
		return WITH(size);
	case PACKET_BROKEN:
		return WITH(stream);
	case PACKET_ATTACH:
		return WITH(streams);
	case PACKET_ATTACHED:
		return WITH(attached);
	case PACKET_TERMINAL:
	case PACKET_BEHIND:
	case PACKET_DETACH:
	case PACKET_NETWORK:
	case PACKET_CONFIRM:
		return offsetof(struct packet, number);
	default:
		return 0;
	}
#undef WITH
}

/* Room for the descriptors of one packet, aligned as cmsg(3) wants it. */
union rights {
	char bytes[CMSG_SPACE(sizeof(int) * PACKET_FDS_MAX)];
	struct cmsghdr align;
};

int packet_send_fds(int socket, const struct packet *packet, const int *fds, size_t nfds,
		    struct err *err)
{
	struct iovec iov = {
		.iov_base = (void *)packet,
		.iov_len = packet_size_of(packet->type),
	};
	union rights control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds > 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * nfds);
	}
	while (sendmsg(socket, &msg, MSG_NOSIGNAL) < 0) {
		/* A reset is told once; from then on the other side is gone. */
		if (errno != EINTR && errno != ECONNRESET)
			return err_sys(err, errno, "cannot send to the other side");
	}
	return 0;
}

int packet_send(int socket, const struct packet *packet, struct err *err)
{
	return packet_send_fds(socket, packet, NULL, 0, err);
}

static void take_descriptors(struct msghdr *msg, int fds[PACKET_FDS_MAX])
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t len = cmsg->cmsg_len - CMSG_LEN(0);

		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
		    len <= sizeof(int) * PACKET_FDS_MAX)
			memcpy(fds, CMSG_DATA(cmsg), len);
	}
}

static void close_all(int fds[PACKET_FDS_MAX])
{
	for (int i = 0; i < PACKET_FDS_MAX; i++)
		cleanup_close(&fds[i]);
}

/* Text from the other side ends where its field ends. */
static void terminate_text(struct packet *packet)
{
	switch (packet->type) {
	case PACKET_OPEN:
		packet->open.root[sizeof(packet->open.root) - 1] = '\0';
		break;
	case PACKET_START:
		packet->start.id[sizeof(packet->start.id) - 1] = '\0';
		packet->start.name[sizeof(packet->start.name) - 1] = '\0';
		break;
	case PACKET_STARTED:
		packet->started.name[sizeof(packet->started.name) - 1] = '\0';
		break;
	case PACKET_FAILED:
		packet->failed.err.text[sizeof(packet->failed.err.text) - 1] = '\0';
		packet->failed.err.hint[sizeof(packet->failed.err.hint) - 1] = '\0';
		break;
	default:
		break;
	}
}

/*
 * A reset says, once, that the peer ended with something of ours unread; what it had sent before
 * comes after it: unix(7).
 */
static ssize_t receive(int socket, struct msghdr *msg, int flags)
{
	ssize_t n;

	do
		n = recvmsg(socket, msg, MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	return n;
}

int packet_receive(int socket, struct packet *packet, int fds[PACKET_FDS_MAX], struct err *err)
{
	struct iovec iov = { .iov_base = packet, .iov_len = sizeof(*packet) };
	union rights control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	int taken[PACKET_FDS_MAX] = { -1, -1, -1 };
	ssize_t n;

	n = receive(socket, &msg, 0);
	/*
	 * The kernel looks for a packet first, and then whether the peer is gone: of one that sends
	 * and ends in between, the packet is there by now. Where there is none, this is the end.
	 */
	if (n == 0) {
		msg.msg_controllen = sizeof(control.bytes);
		n = receive(socket, &msg, MSG_DONTWAIT);
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return -EAGAIN;
	if (n == 0)
		return 0;
	if (n < 0)
		return err_sys(err, errno, "cannot receive from the other side");
	take_descriptors(&msg, taken);
	if ((size_t)n < sizeof(packet->type) || (size_t)n != packet_size_of(packet->type)) {
		close_all(taken);
		return err_set(err, ERR_INVALID, EPROTO, "a packet of a wrong size: %zd bytes", n);
	}
	/* Which of them are missing cannot be told, so none is of use. */
	if (fds && msg.msg_flags & MSG_CTRUNC) {
		close_all(taken);
		return err_set(err, ERR_SYS, EMFILE,
			       "no descriptors are left for those that came with a packet");
	}
	terminate_text(packet);
	if (fds)
		memcpy(fds, taken, sizeof(taken));
	else
		close_all(taken);
	return 1;
}

int packet_expect(int socket, enum packet_type type, struct packet *packet, int fds[PACKET_FDS_MAX],
		  const char *complaint, struct err *err)
{
	int rc = packet_receive(socket, packet, fds, err);

	if (rc <= 0 || packet->type == (uint32_t)type)
		return rc;
	if (fds)
		close_all(fds);
	return err_set(err, ERR_INVALID, EPROTO, "%s", complaint);
}
