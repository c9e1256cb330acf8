/* SPDX-License-Identifier: Apache-2.0 */
/* Clients come, say what they want, and go; the container goes on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "manager/exit_status.h"
#include "manager/monitor/monitor.h"
#include "manager/monitor/state.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"

#define BACKLOG 16
/* It listens a moment after the start, and anew when it has adopted the container. */
#define CONNECT_ATTEMPTS 200
#define CONNECT_PAUSE_NS 10000000L
/* Descriptors that clients may not have: for the database, health checks and the end. */
#define OWN_DESCRIPTORS 16
#define PIPES_MAX PACKET_FDS_MAX /* that one brings */
/* Where nobody can be let in, the listener is looked at again after so long. */
#define DEAF_MS 500

/* --- the socket --- */

/* However long the path of the store is, a socket's name has but 108 bytes. */
static struct sockaddr_un address_in(int dir_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path),
		 "/proc/self/fd/%d/" MONITOR_ATTACH_FILE, dir_fd);
	return address;
}

void monitor_listen(struct monitor *monitor)
{
	const struct sockaddr_un address = address_in(monitor->dir_fd);
	mode_t before;
	int rc;

	/* Of a monitor that was killed. */
	(void)unlinkat(monitor->dir_fd, MONITOR_ATTACH_FILE, 0);
	monitor->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	before = umask(0177);
	rc = bind(monitor->listener, (const struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (rc == 0 && listen(monitor->listener, BACKLOG) == 0)
		return;
	log_warn("%s: nobody can attach to it: %s", monitor->record.name, strerror(errno));
	monitor_unlisten(monitor);
}

void monitor_unlisten(struct monitor *monitor)
{
	if (monitor->listener < 0)
		return;
	cleanup_close(&monitor->listener);
	(void)unlinkat(monitor->dir_fd, MONITOR_ATTACH_FILE, 0);
}

int monitor_connect(int dir_fd, const char *name, int *out, struct err *err)
{
	const struct timespec pause = { .tv_nsec = CONNECT_PAUSE_NS };
	const struct sockaddr_un address = address_in(dir_fd);
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket");
	for (int attempt = 0;; attempt++) {
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
			break;
		if ((errno != ENOENT && errno != ECONNREFUSED && errno != EINTR) ||
		    attempt == CONNECT_ATTEMPTS)
			return err_set(err, ERR_STATE, errno, "%s: cannot attach to it: %s", name,
				       strerror(errno));
		nanosleep(&pause, NULL);
	}
	*out = STEAL_FD(fd);
	return 0;
}

/* --- one client --- */

static void tell_refused(int socket, const struct err *err)
{
	struct packet packet = { .type = PACKET_FAILED, .failed = { .exit_code = EXIT_CMAN } };
	struct err ignored = ERR_INIT;

	packet.failed.err = *err;
	(void)packet_send(socket, &packet, &ignored);
}

struct pollfd monitor_listener_poll(const struct monitor *monitor)
{
	return (struct pollfd){
		.fd = monitor_listener_timeout(monitor) > 0 ? -1 : monitor->listener,
		.events = POLLIN,
	};
}

int monitor_listener_timeout(const struct monitor *monitor)
{
	int left = clock_poll_timeout(monitor->deaf_ns);

	return left > 0 ? left : -1;
}

/*
 * Numbers are given out from the lowest on, so that all below the newest are in use. Those who have
 * not said yet what they want will bring pipes, too. And poll(2) takes no more entries than there
 * may be descriptors, however many of them are empty.
 */
static bool has_room_for(const struct monitor *monitor, int newest)
{
	rlim_t needed = (rlim_t)newest + 1 + PIPES_MAX + OWN_DESCRIPTORS;
	rlim_t polls = MONITOR_OWN_POLLS + (monitor->clients.count + 1) * MONITOR_CLIENT_POLLS;
	struct rlimit limit;

	for (const struct client *client = monitor->clients.first; client; client = client->next)
		if (!client->is_attached)
			needed += PIPES_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return true;
	return needed <= limit.rlim_cur && polls <= limit.rlim_cur;
}

void monitor_accept(struct monitor *monitor)
{
	struct err refused = ERR_INIT;
	int socket = accept4(monitor->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	monitor->deaf_ns = 0;
	/* Whoever is there stays there, and poll(2) would say so at once. */
	if (socket < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		monitor->deaf_ns = clock_monotonic_ns() + DEAF_MS * NS_PER_MS;
	if (socket < 0)
		return;
	if (!has_room_for(monitor, socket)) {
		err_set(&refused, ERR_STATE, EMFILE,
			"%s: its monitor has no descriptors left for another client",
			monitor->record.name);
		err_hint(&refused, "it has the limit of who started it: ulimit -n 1024 before the "
				   "next start");
	} else if (!clients_add(&monitor->clients, socket)) {
		err_set(&refused, ERR_STATE, EUSERS, "%s has %d clients already",
			monitor->record.name, CLIENTS_MAX);
	} else {
		return;
	}
	tell_refused(socket, &refused);
	close(socket);
}

void monitor_drop_client(struct monitor *monitor, struct client *client)
{
	if (client == monitor->starter)
		monitor->starter = NULL;
	clients_remove(&monitor->clients, client);
	/* Who leaves may want to read on in the log; it is closed at the end. */
	journal_sync(&monitor->journal);
}

void monitor_tell(struct monitor *monitor, const struct packet *packet)
{
	for (struct client *client = monitor->clients.first; client; client = client->next) {
		struct err ignored = ERR_INIT;

		/* One that is gone has missed it: the row tells as much. */
		if (client->is_attached && !client->is_retired)
			(void)packet_send(client->socket, packet, &ignored);
	}
}

static void take_pipe(int *from, int *to)
{
	*to = *from;
	*from = -1;
	if (*to >= 0)
		(void)fcntl(*to, F_SETFL, O_NONBLOCK);
}

/* A pipe for each stream, and no other. */
static bool fits(uint32_t streams, const int fds[PACKET_FDS_MAX])
{
	int wanted = __builtin_popcount(streams);

	if (streams & ~(uint32_t)(ATTACH_IN | ATTACH_OUT | ATTACH_ERR))
		return false;
	for (int i = 0; i < PACKET_FDS_MAX; i++)
		if ((fds[i] >= 0) != (i < wanted))
			return false;
	return true;
}

static void attach(struct monitor *monitor, struct client *client, uint32_t streams,
		   int fds[PACKET_FDS_MAX])
{
	struct packet packet = { .type = PACKET_ATTACHED };
	struct err gone = ERR_INIT;
	int at = 0;

	if (streams & ATTACH_IN)
		take_pipe(&fds[at++], &client->in);
	if (streams & ATTACH_OUT)
		take_pipe(&fds[at++], &client->out[0].fd);
	if (streams & ATTACH_ERR)
		take_pipe(&fds[at++], &client->out[1].fd);
	client->out[0].kind = client->out[1].kind = OUTLET_WATCHER;
	client->is_attached = true;
	/* What came before is in the log, what comes from now on is in the pipes. */
	journal_sync(&monitor->journal);
	packet.attached.time_ns = clock_now_ns();
	packet.attached.takes_input = monitor_takes_input(monitor);
	if (!packet.attached.takes_input)
		cleanup_close(&client->in);
	(void)packet_send(client->socket, &packet, &gone);
}

static void refuse(const struct monitor *monitor, const struct client *client, struct err *err)
{
	err_wrap(err, "%s: cannot attach to it", monitor->record.name);
	tell_refused(client->socket, err);
}

/*
 * The client's stdout or stderr broke, as with `cman run … yes | head -1`. A plain program would be
 * told by SIGPIPE, once. Process 1 itself is immune to that; but without ctinit nobody keeps a
 * spare read end, so that closing ours makes its next write fail. But whoever attached later is no
 * reader that the program depends on.
 */
static void on_broken(struct monitor *monitor, struct client *client, int stream)
{
	int number = stream == STDERR_FILENO;

	outlet_close(&client->out[number]);
	if (client != monitor->starter)
		return;
	if (!monitor->process.init && monitor->process.console_fd < 0)
		relay_close_source(number ? &monitor->err : &monitor->out);
	else if (!monitor->broken_told)
		monitor_signal(monitor, SIGPIPE);
	monitor->broken_told = true;
}

static void on_resize(const struct monitor *monitor, const struct packet_size *size)
{
	const struct winsize window = { .ws_row = size->rows, .ws_col = size->cols };

	if (monitor->process.console_fd >= 0)
		(void)ioctl(monitor->process.console_fd, TIOCSWINSZ, &window);
}

void monitor_hear(struct monitor *monitor, struct client *client)
{
	struct packet packet;
	struct err err = ERR_INIT;
	int fds[PACKET_FDS_MAX] = { -1, -1, -1 };
	int rc = packet_receive(client->socket, &packet, fds, &err);

	if (rc == -EAGAIN)
		return;
	if (rc > 0 && packet.type == PACKET_ATTACH && !fits(packet.streams, fds))
		rc = err_set(&err, ERR_INVALID, EPROTO,
			     "a client has to bring a pipe for each stream that it wants");
	if (rc < 0 && !client->is_attached)
		refuse(monitor, client, &err);
	if (rc <= 0 || client->is_attached == (packet.type == PACKET_ATTACH)) {
		monitor_drop_client(monitor, client);
	} else {
		switch (packet.type) {
		case PACKET_ATTACH:
			attach(monitor, client, packet.streams, fds);
			break;
		case PACKET_SIGNAL:
			monitor_signal(monitor, packet.number);
			break;
		case PACKET_RESIZE:
			on_resize(monitor, &packet.size);
			break;
		case PACKET_BROKEN:
			on_broken(monitor, client, packet.stream);
			break;
		case PACKET_TERMINAL:
			client->out[0].kind = client->out[1].kind = OUTLET_TERMINAL;
			break;
		default:
			break;
		}
	}
	seqpacket_close_all(fds, PACKET_FDS_MAX);
}
