/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "manager/monitor/monitor.h"
#include "manager/monitor/protocol.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"

static int send_open(int socket, const char *root, struct err *err)
{
	struct packet packet = { .type = PACKET_OPEN };

	if (root && strlen(root) >= sizeof(packet.open.root))
		return err_sys(err, ENAMETOOLONG, "%s", root);
	if (root)
		strcpy(packet.open.root, root);
	packet.open.log_level = log_get_level();
	return packet_send(socket, &packet, err);
}

int monitor_spawn(const char *root, const int stdio[3], struct stage_child *child, int *socket,
		  struct err *err)
{
	AUTO_CLOSE int mine = -1;
	AUTO_CLOSE int theirs = -1;
	int pair[2];
	int fds[MONITOR_NFDS] = {
		-1,
		-1,
		STDERR_FILENO,
		[MONITOR_IN] = stdio[0],
		[MONITOR_OUT] = stdio[1],
		[MONITOR_ERR] = stdio[2],
	};
	const struct stage_options options = { .fds = fds, .nfds = MONITOR_NFDS, .new_session = 1 };
	int rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	mine = pair[0];
	theirs = pair[1];
	fds[MONITOR_SOCKET] = theirs;
	rc = stage_spawn(MONITOR_STAGE, &options, child, err);
	if (rc == 0)
		rc = send_open(mine, root, err);
	if (rc < 0)
		return rc;
	*socket = STEAL_FD(mine);
	return 0;
}
