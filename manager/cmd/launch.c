/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/monitor/caller_limits.h"
#include "manager/monitor/monitor.h"
#include "manager/monitor/protocol.h"
#include "manager/runtime/namespaces.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/base/seqpacket.h"

void launch_release(struct launch *launch)
{
	pump_release(&launch->pump);
	*launch = (struct launch)LAUNCH_INIT;
}

void launch_undo(struct launch *launch)
{
	sigset_t all;

	launch_release(launch);
	sigfillset(&all);
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
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

/* *socket is our end. */
static int fork_monitor(const struct monitor_plan *plan, int *socket, pid_t *monitor,
			struct err *err)
{
	int pair[2];
	pid_t pid;

	if (seqpacket_pair(pair, err) < 0)
		return err_code(err);
	pid = fork();
	if (pid == 0)
		exit(monitor_main(plan, pair[1]));
	if (pid < 0)
		err_sys(err, errno, "cannot start a monitor");
	close(pair[1]);
	*socket = pair[0];
	*monitor = pid > 0 ? pid : 0;
	if (pid > 0)
		log_debug("monitor: process %d", (int)pid);
	return pid < 0 ? err_code(err) : 0;
}

/* The pump's pipes; `theirs` are the monitor's ends. */
static int open_pipes(const struct launch_how *how, struct pump *pump, int theirs[3],
		      struct err *err)
{
	const unsigned streams = how->streams ? how->streams : ATTACH_IN | ATTACH_OUT | ATTACH_ERR;
	int rc = 0;

	pump->terminal = how->tty;
	pump->raw = how->tty && how->interactive && (streams & ATTACH_IN) && !how->detached;
	pump->no_proxy = how->no_proxy;
	pump->drain = true;
	pump->keys = how->keys;
	if (how->detached)
		return 0;
	if (streams & ATTACH_OUT)
		rc = open_pipe(&pump->out[0], &theirs[1], err);
	/* A terminal has but one output. */
	if (rc == 0 && (streams & ATTACH_ERR) && !how->tty)
		rc = open_pipe(&pump->out[1], &theirs[2], err);
	if (rc == 0 && (streams & ATTACH_IN) && how->interactive)
		rc = open_pipe(&theirs[0], &pump->in, err);
	return rc;
}

static void close_pipes(int theirs[3])
{
	for (int i = 0; i < 3; i++)
		cleanup_close(&theirs[i]);
}

/* The first that a monitor says: 0, 1 or an error as of launch_new(). */
static int await_answer(struct launch *launch, const char *name, struct err *err)
{
	struct packet packet;
	int rc = packet_receive(launch->pump.socket, &packet, NULL, err);

	if (rc < 0)
		return rc;
	stage_heard(&launch->monitor);
	if (rc == 0)
		return monitor_explain_loss(launch->monitor.pid, name, err);
	switch (packet.type) {
	case PACKET_STARTED:
		log_debug("container %s: started, process %d", packet.started.name,
			  packet.started.pid);
		memcpy(launch->name, packet.started.name, sizeof(launch->name));
		launch->pid = packet.started.pid;
		return 0;
	case PACKET_AGAIN:
		return 1;
	case PACKET_FAILED:
		*err = packet.failed.err;
		return err_code(err);
	default:
		return err_set(err, ERR_INVALID, EPROTO, "%s: its monitor talks nonsense", name);
	}
}

/*
 * Most of what a network namespace costs is the kernel's time, while the monitor has other things
 * to do, and we have none.
 */
static void give_network(int socket)
{
	AUTO_CLOSE int network = -1;
	struct packet packet = { .type = PACKET_NETWORK };
	struct err err = ERR_INIT;

	if (namespaces_make_network(&network, &err) < 0 ||
	    packet_send_fds(socket, &packet, &network, 1, &err) < 0) {
		log_debug("%s", err.text);
		/* the monitor waits for it; where the monitor is gone its answer says why */
		(void)packet_send(socket, &packet, &err);
	}
}

int launch_new(const struct monitor_plan *plan, const char *id, const struct launch_how *how,
	       struct launch *out, struct err *err)
{
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	struct monitor_plan complete = *plan;
	int theirs[3] = { -1, -1, -1 };
	char name[13];
	int rc = caller_limits_check(err);

	if (rc == 0)
		rc = open_pipes(how, &launch.pump, theirs, err);
	if (rc == 0)
		rc = pump_block_signals(launch.pump.raw, launch.pump.no_proxy, &launch.pump.signals,
					err);
	memcpy(complete.stdio, theirs, sizeof(complete.stdio));
	if (rc == 0)
		rc = fork_monitor(&complete, &launch.pump.socket, &launch.monitor.pid, err);
	close_pipes(theirs);
	if (rc < 0)
		return rc;
	if (plan->gives_network)
		give_network(launch.pump.socket);
	snprintf(name, sizeof(name), "%s", id);
	rc = await_answer(&launch, name, err);
	*out = launch;
	launch = (struct launch)LAUNCH_INIT;
	return rc;
}

int launch_begin(const char *root, const struct launch_how *how, struct launch *out,
		 struct err *err)
{
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	int theirs[3] = { -1, -1, -1 };
	int rc = open_pipes(how, &launch.pump, theirs, err);

	if (rc == 0)
		rc = monitor_spawn(root, theirs, &launch.pump.socket, &launch.monitor, err);
	close_pipes(theirs);
	if (rc < 0)
		return rc;
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
	return await_answer(launch, record->name, err);
}

/* --- a container that runs --- */

static int send_attach(int socket, const int pipes[3], struct err *err)
{
	static const uint32_t bits[3] = { ATTACH_IN, ATTACH_OUT, ATTACH_ERR };
	struct packet packet = { .type = PACKET_ATTACH };
	int fds[PACKET_FDS_MAX];
	size_t n = 0;

	for (int i = 0; i < 3; i++) {
		if (pipes[i] < 0)
			continue;
		packet.streams |= bits[i];
		fds[n++] = pipes[i];
	}
	return packet_send_fds(socket, &packet, fds, n, err);
}

static int await_attached(struct launch *launch, const struct launch_how *how, const char *name,
			  int64_t *since_ns, struct err *err)
{
	struct packet packet;
	int rc = packet_receive(launch->pump.socket, &packet, NULL, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_STATE, ECHILD, "%s has ended, or its monitor was killed",
			       name);
	if (packet.type == PACKET_FAILED) {
		*err = packet.failed.err;
		return err_code(err);
	}
	if (packet.type != PACKET_ATTACHED)
		return err_set(err, ERR_INVALID, EPROTO, "%s: its monitor talks nonsense", name);
	if (how->interactive && !packet.attached.takes_input)
		log_warn("%s has the stdin of the client that started it: yours goes nowhere",
			 name);
	*since_ns = packet.attached.time_ns;
	return 0;
}

int launch_attach(struct store *store, const struct container_record *record,
		  const struct launch_how *how, struct launch *out, int64_t *since_ns,
		  struct err *err)
{
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	AUTO_CLOSE int dir_fd = -1;
	int theirs[3] = { -1, -1, -1 };
	int rc = container_dir_open(store, record->id, &dir_fd, err);

	if (rc == 0)
		rc = monitor_connect(dir_fd, record->name, &launch.pump.socket, err);
	if (rc == 0)
		rc = open_pipes(how, &launch.pump, theirs, err);
	if (rc == 0)
		rc = send_attach(launch.pump.socket, theirs, err);
	close_pipes(theirs);
	/* -EPIPE: it has refused us already, and said why. */
	if (rc == 0 || rc == -EPIPE)
		rc = await_attached(&launch, how, record->name, since_ns, err);
	if (rc < 0)
		return rc;
	*out = launch;
	launch = (struct launch)LAUNCH_INIT;
	return 0;
}
