/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>

#include "manager/monitor/state.h"
#include "store/base/clock.h"
#include "store/base/log.h"

enum {
	AT_END,
	AT_REPORT,
	AT_LISTENER,
	AT_OUT,
	AT_ERR,
	AT_TARGET,
	AT_HEALTH,
	AT_CLIENTS = AT_HEALTH + 2
};
/* Of each client, one after the other in the order of the list. */
enum { CLIENT_SOCKET, CLIENT_IN, CLIENT_OUT, CLIENT_ERR, CLIENT_NPOLL };
_Static_assert(MONITOR_CLIENT_POLLS == CLIENT_NPOLL && MONITOR_OWN_POLLS == AT_CLIENTS,
	       "state.h agrees");

static size_t add_clients(const struct monitor *monitor, struct pollfd *fds)
{
	size_t n = 0;

	for (const struct client *client = monitor->clients.first; client; client = client->next) {
		/* What one says whose run is over concerns nobody. */
		fds[n + CLIENT_SOCKET] =
			(struct pollfd){ client->is_retired ? -1 : client->socket, POLLIN, 0 };
		fds[n + CLIENT_IN] = monitor_input_poll(monitor, client);
		fds[n + CLIENT_OUT] = outlet_poll(&client->out[0]);
		fds[n + CLIENT_ERR] = outlet_poll(&client->out[1]);
		n += CLIENT_NPOLL;
	}
	return n;
}

static void serve_clients(struct monitor *monitor, const struct pollfd *fds)
{
	struct client *next;

	for (struct client *client = monitor->clients.first; client; client = next) {
		next = client->next;
		if (fds[CLIENT_OUT].revents)
			outlet_step(&client->out[0]);
		if (fds[CLIENT_ERR].revents)
			outlet_step(&client->out[1]);
		if (fds[CLIENT_IN].revents)
			monitor_input_read(monitor, client);
		if (fds[CLIENT_SOCKET].revents)
			monitor_hear(monitor, client);
		fds += CLIENT_NPOLL;
	}
}

/* The shorter of two timeouts of poll(2). */
static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int patience_of(const struct client *client, int64_t now_ns)
{
	return sooner(outlet_patience(&client->out[0], now_ns),
		      outlet_patience(&client->out[1], now_ns));
}

int monitor_patience(const struct monitor *monitor)
{
	int timeout = -1;

	for (const struct client *client = monitor->clients.first; client; client = client->next)
		timeout = sooner(timeout, patience_of(client, clock_monotonic_ns()));
	return timeout;
}

/* Nobody who does not take its output holds the container up, or fills our memory. */
static void let_go_who_is_behind(struct monitor *monitor)
{
	const struct packet packet = { .type = PACKET_BEHIND };
	struct err ignored = ERR_INIT;
	struct client *next;

	for (struct client *client = monitor->clients.first; client; client = next) {
		next = client->next;
		if (patience_of(client, clock_monotonic_ns()) != 0)
			continue;
		(void)packet_send(client->socket, &packet, &ignored);
		monitor_drop_client(monitor, client);
	}
}

/* Who has all of its stdout should not wait for its end behind a slow stderr. */
static void close_delivered(struct client *client)
{
	for (int i = 0; i < 2; i++) {
		/* Who watched may take its time now, but not for ever. */
		if (client->out[i].kind == OUTLET_WATCHER)
			client->out[i].kind = OUTLET_TERMINAL;
		if (outlet_is_delivered(&client->out[i]))
			outlet_close(&client->out[i]);
	}
}

static void let_go_who_has_all(struct monitor *monitor, bool retired_only)
{
	struct client *next;

	for (struct client *client = monitor->clients.first; client; client = next) {
		next = client->next;
		if (retired_only && !client->is_retired)
			continue;
		close_delivered(client);
		if (client->out[0].fd < 0 && client->out[1].fd < 0)
			monitor_drop_client(monitor, client);
	}
}

/* Milliseconds until something is due, -1: nothing is. */
static int timeout(const struct monitor *monitor)
{
	int own = sooner(journal_timeout(&monitor->journal), monitor_rest_timeout(monitor));
	int clients = sooner(monitor_patience(monitor), monitor_listener_timeout(monitor));

	return sooner(sooner(own, clients), monitor_health_timeout(monitor));
}

/*
 * ctinit has told how the payload ended. Until the kernel has taken the container's namespaces
 * apart there is time to get ready for the record of it.
 */
static void expect_end(struct monitor *monitor)
{
	struct err ignored = ERR_INIT;

	monitor->end_expected = true;
	if (monitor_wake(monitor, &ignored) == 0)
		container_expect_end(&monitor->store, monitor->record.auto_remove);
}

void monitor_signal(struct monitor *monitor, int number)
{
	struct err err = ERR_INIT;

	if (engine_kill(&monitor->process, number, &err) < 0)
		log_debug("%s", err.text);
}

int monitor_loop(struct monitor *monitor, struct err *err)
{
	monitor->end_expected = false;
	monitor_health_begin(monitor);
	monitor_rest_later(monitor);
	for (;;) {
		struct pollfd fds[AT_CLIENTS + CLIENTS_MAX * CLIENT_NPOLL] = {
			[AT_END] = { .fd = monitor->process.pidfd, .events = POLLIN },
			[AT_REPORT] = { .fd = monitor->end_expected ? -1 :
								      monitor->process.report_fd,
					.events = POLLIN },
			[AT_LISTENER] = monitor_listener_poll(monitor),
			[AT_OUT] = relay_poll(&monitor->out, &monitor->clients),
			[AT_ERR] = relay_poll(&monitor->err, &monitor->clients),
			[AT_TARGET] = monitor_input_target(monitor),
		};
		size_t n = AT_CLIENTS + add_clients(monitor, fds + AT_CLIENTS);

		health_probe_poll(&monitor->health.probe, &fds[AT_HEALTH]);
		if (poll(fds, n, timeout(monitor)) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, errno, "cannot wait for the container");
		}
		if (fds[AT_END].revents)
			return 0;
		if (fds[AT_REPORT].revents)
			expect_end(monitor);
		if (fds[AT_OUT].revents)
			relay_step(&monitor->out, &monitor->clients, &monitor->journal);
		if (fds[AT_ERR].revents)
			relay_step(&monitor->err, &monitor->clients, &monitor->journal);
		if (fds[AT_TARGET].revents)
			monitor_input_write(monitor);
		serve_clients(monitor, fds + AT_CLIENTS);
		let_go_who_is_behind(monitor);
		let_go_who_has_all(monitor, true);
		if (fds[AT_LISTENER].revents)
			monitor_accept(monitor);
		monitor_health_step(monitor, &fds[AT_HEALTH]);
		journal_tick(&monitor->journal);
		monitor_rest_step(monitor);
	}
}

size_t monitor_delivery_poll(const struct monitor *monitor, struct pollfd *fds)
{
	size_t n = add_clients(monitor, fds);

	/* What they say concerns nobody any more. */
	for (size_t i = 0; i < n; i += CLIENT_NPOLL)
		fds[i + CLIENT_SOCKET].fd = fds[i + CLIENT_IN].fd = -1;
	return n;
}

bool monitor_delivery_step(struct monitor *monitor, const struct pollfd *fds)
{
	if (fds)
		serve_clients(monitor, fds);
	let_go_who_is_behind(monitor);
	let_go_who_has_all(monitor, false);
	return !monitor->clients.first;
}

void monitor_deliver(struct monitor *monitor)
{
	while (!monitor_delivery_step(monitor, NULL)) {
		struct pollfd fds[MONITOR_DELIVERY_POLLS];
		size_t n = monitor_delivery_poll(monitor, fds);

		if (poll(fds, n, monitor_patience(monitor)) < 0 && errno != EINTR)
			break;
		(void)monitor_delivery_step(monitor, fds);
	}
	monitor->starter = NULL;
	clients_remove_all(&monitor->clients);
}
