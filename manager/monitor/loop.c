/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "manager/monitor/state.h"
#include "store/base/log.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void monitor_drop_client(struct monitor *monitor)
{
	close_fd(&monitor->client);
	close_fd(&monitor->input.from);
	monitor->input.begin = monitor->input.end = 0;
	relay_drop_client(&monitor->out);
	relay_drop_client(&monitor->err);
}

static void send_signal(struct monitor *monitor, int number)
{
	struct err err = ERR_INIT;

	/* Somebody who signals what is just ending is not to blame for that. */
	if (engine_kill(&monitor->process, number, &err) < 0)
		log_debug("%s", err.text);
}

/*
 * The client's stdout or stderr broke, as with `cman run … yes | head -1`. A plain program would be
 * told by SIGPIPE, once. Process 1 itself is immune to that; but without ctinit nobody keeps a
 * spare read end, so that closing ours makes its next write fail.
 */
static void on_broken(struct monitor *monitor, int stream)
{
	struct relay *relay = stream == STDERR_FILENO ? &monitor->err : &monitor->out;

	relay_drop_client(relay);
	if (!monitor->process.init && monitor->process.console_fd < 0)
		relay_close_source(relay);
	else if (!monitor->broken_told)
		send_signal(monitor, SIGPIPE);
	monitor->broken_told = true;
}

static void on_client(struct monitor *monitor)
{
	struct packet packet;
	struct err err = ERR_INIT;
	int rc = packet_receive(monitor->client, &packet, NULL, &err);

	if (rc <= 0) {
		monitor_drop_client(monitor);
		/* Who detached may want to read on in the log. */
		journal_sync(&monitor->journal);
		return;
	}
	switch (packet.type) {
	case PACKET_SIGNAL:
		send_signal(monitor, packet.number);
		break;
	case PACKET_RESIZE:
		if (monitor->process.console_fd >= 0) {
			struct winsize size = {
				.ws_row = packet.size.rows,
				.ws_col = packet.size.cols,
			};

			(void)ioctl(monitor->process.console_fd, TIOCSWINSZ, &size);
		}
		break;
	case PACKET_BROKEN:
		on_broken(monitor, packet.stream);
		break;
	default:
		break;
	}
}

static struct pollfd input_poll(const struct monitor *monitor)
{
	const struct monitor_input *input = &monitor->input;

	if (input->begin < input->end)
		return (struct pollfd){ .fd = monitor->process.console_fd, .events = POLLOUT };
	return (struct pollfd){ .fd = input->from, .events = POLLIN };
}

static void on_input(struct monitor *monitor)
{
	struct monitor_input *input = &monitor->input;
	ssize_t n;

	if (input->begin == input->end) {
		n = read(input->from, input->bytes, sizeof(input->bytes));
		if (n > 0) {
			input->begin = 0;
			input->end = (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			close_fd(&input->from);
		}
		return;
	}
	n = write(monitor->process.console_fd, input->bytes + input->begin,
		  input->end - input->begin);
	if (n > 0)
		input->begin += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		input->begin = input->end;
}

enum { AT_END, AT_CLIENT, AT_OUT, AT_ERR, AT_INPUT, AT_HEALTH, NPOLL = AT_HEALTH + 2 };

/* Milliseconds until something is due, -1: nothing is. */
static int timeout(const struct monitor *monitor)
{
	int journal = journal_timeout(&monitor->journal);
	int health = monitor_health_timeout(monitor);

	return journal < 0 || (health >= 0 && health < journal) ? health : journal;
}

int monitor_loop(struct monitor *monitor, struct err *err)
{
	monitor_health_begin(monitor);
	for (;;) {
		struct pollfd fds[NPOLL] = {
			[AT_END] = { .fd = monitor->process.pidfd, .events = POLLIN },
			[AT_CLIENT] = { .fd = monitor->client, .events = POLLIN },
			[AT_OUT] = relay_poll(&monitor->out),
			[AT_ERR] = relay_poll(&monitor->err),
			[AT_INPUT] = input_poll(monitor),
		};

		health_probe_poll(&monitor->health.probe, &fds[AT_HEALTH]);
		if (poll(fds, NPOLL, timeout(monitor)) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, errno, "cannot wait for the container");
		}
		if (fds[AT_END].revents)
			return 0;
		if (fds[AT_OUT].revents)
			relay_step(&monitor->out, &monitor->journal);
		if (fds[AT_ERR].revents)
			relay_step(&monitor->err, &monitor->journal);
		if (fds[AT_INPUT].revents)
			on_input(monitor);
		if (fds[AT_CLIENT].revents)
			on_client(monitor);
		monitor_health_step(monitor, &fds[AT_HEALTH]);
		journal_tick(&monitor->journal);
	}
}

void monitor_deliver(struct monitor *monitor)
{
	while (!relay_is_delivered(&monitor->out) || !relay_is_delivered(&monitor->err)) {
		struct pollfd fds[2] = {
			relay_poll(&monitor->out),
			relay_poll(&monitor->err),
		};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			relay_step(&monitor->out, &monitor->journal);
		if (fds[1].revents)
			relay_step(&monitor->err, &monitor->journal);
		/* Who has all of its stdout should not wait for its end behind a slow stderr. */
		if (relay_is_delivered(&monitor->out))
			relay_drop_client(&monitor->out);
		if (relay_is_delivered(&monitor->err))
			relay_drop_client(&monitor->err);
	}
}
