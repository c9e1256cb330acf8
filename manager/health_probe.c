/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/health_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/exec_request.h"
#include "manager/exec_stage.h"
#include "manager/exit_status.h"
#include "manager/lifecycle.h"
#include "manager/monitor/protocol.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/seqpacket.h"
#include "store/base/strv.h"

#define KILL_GRACE_NS INT64_C(5000000000) /* for the stage to tell that it has killed it */

/* --- the start --- */

static int make_request(const struct spec_health *health, int *fd, struct err *err)
{
	AUTO_EXEC_REQUEST struct exec_request request = EXEC_REQUEST_INIT;
	int r = 0;

	if (strcmp(health->test[0], "CMD-SHELL") == 0)
		r = strv_add(&request.args, "/bin/sh") < 0 ? -1 : strv_add(&request.args, "-c");
	if (r < 0 || strv_extend(&request.args, health->test + 1) < 0)
		return err_sys(err, ENOMEM, "cannot keep the command");
	request.log_level = (int)log_get_level();
	return exec_request_write(&request, fd, err);
}

static int open_ends(struct health_probe *probe, int fds[EXEC_NFDS], struct err *err)
{
	int pair[2];

	if (seqpacket_pair(pair, err) < 0)
		return err_code(err);
	probe->socket = pair[0];
	fds[EXEC_SOCKET] = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	probe->output = pair[0];
	fds[EXEC_OUT] = pair[1];
	/* stdout and stderr in the order in which they come. */
	fds[EXEC_ERR] = fcntl(pair[1], F_DUPFD_CLOEXEC, 0);
	if (fds[EXEC_ERR] < 0 || fcntl(probe->output, F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(probe->socket, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot set up a pipe");
	return 0;
}

static int spawn(struct health_probe *probe, struct err *err)
{
	int fds[EXEC_NFDS];
	const struct stage_options how = {
		.fds = fds, .nfds = EXEC_NFDS, .new_session = 1, .no_wait = 1, .keep_mount = 1
	};
	int r;

	for (int i = 0; i < EXEC_NFDS; i++)
		fds[i] = -1;
	r = open_ends(probe, fds, err);
	if (r == 0)
		r = stage_spawn(EXEC_STAGE, &how, &probe->stage, err);
	for (int i = EXEC_SOCKET; i < EXEC_NFDS; i++)
		cleanup_close(&fds[i]);
	return r;
}

static int name_container(const struct health_probe *probe, const struct spec_health *health,
			  const struct engine_process *init, int dir_fd, int cache_fd,
			  struct err *err)
{
	struct packet exec = { .type = PACKET_EXEC };
	AUTO_CLOSE int command = -1;

	if (make_request(health, &command, err) < 0)
		return err_code(err);

	exec.exec.pid = init->pid;
	exec.exec.start_time = init->start_time;
	return packet_send_fds(probe->socket, &exec, (int[]){ dir_fd, cache_fd, command }, 3, err);
}

int health_probe_begin(struct health_probe *probe, const struct spec_health *health,
		       const struct engine_process *init, int dir_fd, int cache_fd, struct err *err)
{
	int r;

	*probe = (struct health_probe)HEALTH_PROBE_INIT;
	probe->text = malloc(HEALTH_OUTPUT_MAX + 1);
	if (!probe->text)
		return err_sys(err, ENOMEM, "cannot keep the output of the health check");
	probe->text[0] = '\0';
	r = spawn(probe, err);
	if (r == 0)
		r = name_container(probe, health, init, dir_fd, cache_fd, err);
	if (r < 0) {
		health_probe_end(probe);
		return r;
	}
	probe->started_ns = clock_now_ns();
	probe->deadline_ns = clock_monotonic_ns() + health->timeout_ns;
	return 0;
}

/* --- its course --- */

bool health_probe_runs(const struct health_probe *probe)
{
	return probe->socket >= 0;
}

void health_probe_poll(const struct health_probe *probe, struct pollfd fds[2])
{
	fds[0] = (struct pollfd){ .fd = probe->socket, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = probe->output, .events = POLLIN };
}

/* What is more than is kept is read all the same: the check must not wait for us. */
static void take_output(struct health_probe *probe)
{
	char bytes[HEALTH_OUTPUT_MAX];
	ssize_t n = read(probe->output, bytes, sizeof(bytes));
	size_t room = HEALTH_OUTPUT_MAX - probe->len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		cleanup_close(&probe->output);
		return;
	}
	if ((size_t)n < room)
		room = (size_t)n;
	memcpy(probe->text + probe->len, bytes, room);
	probe->len += room;
	probe->text[probe->len] = '\0';
}

static bool end_with(struct health_probe *probe, int exit_code, const char *text)
{
	probe->exit_code = exit_code;
	/* What it printed before says more than this. */
	if (text && probe->len == 0)
		probe->len = (size_t)snprintf(probe->text, HEALTH_OUTPUT_MAX + 1, "%s", text);
	return true;
}

static bool take_packet(struct health_probe *probe)
{
	struct packet packet;
	struct err err = ERR_INIT;
	int r = packet_receive(probe->socket, &packet, NULL, &err);

	if (r == -EAGAIN)
		return false;
	stage_heard(&probe->stage);
	if (probe->killed)
		return r <= 0 || packet.type != PACKET_STARTED ?
			       end_with(probe, HEALTH_TIMED_OUT, "it took too long") :
			       false;
	if (r <= 0)
		return end_with(probe, EXIT_CMAN, "the helper that runs the check was killed");
	if (packet.type == PACKET_FAILED)
		return end_with(probe, packet.failed.exit_code, packet.failed.err.text);
	if (packet.type != PACKET_EXITED)
		return false;
	/* Its last words may be in the pipe yet. */
	if (probe->output >= 0)
		take_output(probe);
	return end_with(probe, packet.exit_code, NULL);
}

/* The stage kills the program, and says so; one that cannot is killed itself. */
static bool on_deadline(struct health_probe *probe)
{
	struct packet packet = { .type = PACKET_SIGNAL, .number = SIGKILL };
	struct err ignored = ERR_INIT;

	if (probe->killed)
		return end_with(probe, HEALTH_TIMED_OUT, "it took too long, and cannot be killed");
	probe->killed = true;
	probe->deadline_ns += KILL_GRACE_NS;
	(void)packet_send(probe->socket, &packet, &ignored);
	return false;
}

bool health_probe_step(struct health_probe *probe, const struct pollfd fds[2])
{
	if (fds[1].revents)
		take_output(probe);
	if (fds[0].revents && take_packet(probe))
		return true;
	return clock_monotonic_ns() >= probe->deadline_ns && on_deadline(probe);
}

void health_probe_end(struct health_probe *probe)
{
	(void)stage_end(&probe->stage);
	cleanup_close(&probe->stage.pidfd);
	cleanup_close(&probe->socket);
	cleanup_close(&probe->output);
	free(probe->text);
	*probe = (struct health_probe)HEALTH_PROBE_INIT;
}
