/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "manager/monitor/monitor.h"
#include "manager/monitor/protocol.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"

void launch_release(struct launch *launch)
{
	pump_release(&launch->pump);
	cleanup_close(&launch->monitor.pidfd);
	*launch = (struct launch)LAUNCH_INIT;
}

/* The write end is non-blocking: its owner has other things to do than to wait for the reader. */
static int open_pipe(int *read_end, int *write_end, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	*read_end = fds[0];
	*write_end = fds[1];
	if (fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot set up a pipe");
	return 0;
}

int launch_begin(const char *root, const struct run_options *options, const char *id,
		 struct launch *out, struct err *err)
{
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	AUTO_CLOSE int in = -1;
	AUTO_CLOSE int out_fd = -1;
	AUTO_CLOSE int err_fd = -1;
	int rc = 0;

	if (!options->detach) {
		rc = open_pipe(&launch.pump.out[0], &out_fd, err);
		/* A terminal has but one output. */
		if (rc == 0 && !options->tty)
			rc = open_pipe(&launch.pump.out[1], &err_fd, err);
		if (rc == 0 && options->interactive)
			rc = open_pipe(&in, &launch.pump.in, err);
	}
	if (rc == 0)
		rc = monitor_spawn(root, id, (int[]){ in, out_fd, err_fd }, &launch.monitor,
				   &launch.pump.socket, err);
	if (rc < 0)
		return rc;
	log_debug("monitor: process %d", (int)launch.monitor.pid);
	launch.pump.raw = options->tty && options->interactive && !options->detach;
	launch.pump.drain = true;
	launch.pump.keys = options->keys;
	*out = launch;
	launch = (struct launch)LAUNCH_INIT;
	return 0;
}

int launch_start(struct launch *launch, const struct container_record *record, struct err *err)
{
	struct packet packet = { .type = PACKET_START };
	int rc;

	memcpy(packet.start.id, record->id, sizeof(packet.start.id));
	strncpy(packet.start.name, record->name, sizeof(packet.start.name) - 1);
	packet.start.auto_remove = record->auto_remove;
	rc = packet_send(launch->pump.socket, &packet, err);
	/* -EPIPE: it has failed already, and said why. */
	if (rc < 0 && rc != -EPIPE)
		return rc;
	rc = packet_receive(launch->pump.socket, &packet, NULL, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_SYS, ECHILD,
			       "%s: its monitor could not be started, or was killed", record->name);
	if (packet.type == PACKET_STARTED) {
		log_debug("container %s: started, process %d", record->name, packet.pid);
		return 0;
	}
	if (packet.type != PACKET_FAILED)
		return err_set(err, ERR_INVALID, EPROTO, "%s: its monitor talks nonsense",
			       record->name);
	*err = packet.failed.err;
	return err_code(err);
}
