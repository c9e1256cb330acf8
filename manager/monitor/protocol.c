/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/protocol.h"

#include <errno.h>
#include <stddef.h>

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
	case PACKET_AGAIN:
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

int packet_send_fds(int socket, const struct packet *packet, const int *fds, size_t nfds,
		    struct err *err)
{
	int rc = seqpacket_send(socket, packet, packet_size_of(packet->type), fds, nfds);

	return rc < 0 ? err_sys(err, -rc, "cannot send to the other side") : 0;
}

int packet_send(int socket, const struct packet *packet, struct err *err)
{
	return packet_send_fds(socket, packet, NULL, 0, err);
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
		(void)err_received(&packet->failed.err);
		break;
	default:
		break;
	}
}

int packet_receive(int socket, struct packet *packet, int fds[PACKET_FDS_MAX], struct err *err)
{
	ssize_t n =
		seqpacket_receive(socket, packet, sizeof(*packet), fds, fds ? PACKET_FDS_MAX : 0);

	if (n == 0 || n == -EAGAIN)
		return (int)n;
	if (n == -EMFILE)
		return err_set(err, ERR_SYS, EMFILE,
			       "no descriptors are left for those that came with a packet");
	if (n < 0)
		return err_sys(err, (int)-n, "cannot receive from the other side");
	if ((size_t)n < sizeof(packet->type) || (size_t)n != packet_size_of(packet->type)) {
		if (fds)
			seqpacket_close_all(fds, PACKET_FDS_MAX);
		return err_set(err, ERR_INVALID, EPROTO, "a packet of a wrong size: %zd bytes", n);
	}
	terminate_text(packet);
	return 1;
}

int packet_expect(int socket, enum packet_type type, struct packet *packet, int fds[PACKET_FDS_MAX],
		  const char *complaint, struct err *err)
{
	int rc = packet_receive(socket, packet, fds, err);

	if (rc <= 0 || packet->type == (uint32_t)type)
		return rc;
	if (fds)
		seqpacket_close_all(fds, PACKET_FDS_MAX);
	return err_set(err, ERR_INVALID, EPROTO, "%s", complaint);
}
