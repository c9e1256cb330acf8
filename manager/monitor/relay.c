/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/base/cleanup.h"

/* What a pipe holds, pipe(7). */
#define CHUNK 65536
#define TERMINAL_MAX ((size_t)1 << 20) /* more than a terminal holds */

void relay_close_source(struct relay *relay)
{
	cleanup_close(&relay->source);
}

static int number_of(const struct relay *relay)
{
	return relay->stream == LOG_STDERR;
}

struct pollfd relay_poll(const struct relay *relay, const struct clients *clients)
{
	return (struct pollfd){
		.fd = clients_hold(clients, number_of(relay)) ? -1 : relay->source,
		.events = POLLIN,
	};
}

/* Returns what was read, 0 when there is nothing now or any more. */
static size_t read_source(struct relay *relay, struct clients *clients, struct journal *journal)
{
	char bytes[CHUNK];
	ssize_t n;

	if (relay->source < 0)
		return 0;
	n = read(relay->source, bytes, sizeof(bytes));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		relay_close_source(relay);
		return 0;
	}
	journal_take(journal, relay->stream, bytes, (size_t)n);
	for (struct client *client = clients->first; client; client = client->next)
		if (!client->is_retired)
			outlet_put(&client->out[number_of(relay)], bytes, (size_t)n);
	return (size_t)n;
}

void relay_step(struct relay *relay, struct clients *clients, struct journal *journal)
{
	(void)read_source(relay, clients, journal);
}

void relay_drain(struct relay *relay, struct clients *clients, struct journal *journal)
{
	/*
	 * What it held at the end: somebody outside of the container to whom it passed the
	 * descriptor may write on for ever.
	 */
	int room = relay->source >= 0 ? fcntl(relay->source, F_GETPIPE_SZ) : -1;
	size_t left = room > 0 ? (size_t)room : TERMINAL_MAX;
	size_t n = 1;

	for (; n > 0 && left > 0; left -= n < left ? n : left)
		n = read_source(relay, clients, journal);
	relay_close_source(relay);
}
