/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a pipe holds, pipe(7). */
#define CHUNK 65536
#define TERMINAL_MAX ((size_t)1 << 20) /* more than a terminal holds */

void relay_close_source(struct relay *relay)
{
	if (relay->source >= 0)
		close(relay->source);
	relay->source = -1;
}

void relay_drop_client(struct relay *relay)
{
	if (relay->client >= 0)
		close(relay->client);
	relay->client = -1;
	free(relay->pending);
	relay->pending = NULL;
	relay->begin = relay->end = relay->capacity = 0;
}

void relay_release(struct relay *relay)
{
	relay_close_source(relay);
	relay_drop_client(relay);
}

bool relay_is_delivered(const struct relay *relay)
{
	return relay->begin == relay->end;
}

struct pollfd relay_poll(const struct relay *relay)
{
	if (!relay_is_delivered(relay))
		return (struct pollfd){ .fd = relay->client, .events = POLLOUT };
	return (struct pollfd){ .fd = relay->source, .events = POLLIN };
}

/* Returns how many of the `len` bytes need not be kept: they were written, or nobody wants them. */
static size_t write_client(struct relay *relay, const char *bytes, size_t len)
{
	ssize_t n;

	if (relay->client < 0)
		return len;
	n = write(relay->client, bytes, len);
	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	relay_drop_client(relay);
	return len;
}

static void keep(struct relay *relay, const char *bytes, size_t len)
{
	size_t used = relay->end - relay->begin;

	if (relay->capacity < used + len) {
		char *grown = malloc(used + len);

		/* Better a client without the rest than a container that stands still. */
		if (!grown) {
			relay_drop_client(relay);
			return;
		}
		if (used > 0)
			memcpy(grown, relay->pending + relay->begin, used);
		free(relay->pending);
		relay->pending = grown;
		relay->capacity = used + len;
		relay->begin = 0;
		relay->end = used;
	} else if (relay->end + len > relay->capacity) {
		memmove(relay->pending, relay->pending + relay->begin, used);
		relay->begin = 0;
		relay->end = used;
	}
	memcpy(relay->pending + relay->end, bytes, len);
	relay->end += len;
}

/* Returns what was read, 0 when there is nothing now or any more. */
static size_t read_source(struct relay *relay, struct journal *journal)
{
	char bytes[CHUNK];
	size_t done = 0;
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
	if (relay_is_delivered(relay))
		done = write_client(relay, bytes, (size_t)n);
	if (done < (size_t)n && relay->client >= 0)
		keep(relay, bytes + done, (size_t)n - done);
	return (size_t)n;
}

void relay_step(struct relay *relay, struct journal *journal)
{
	if (relay_is_delivered(relay)) {
		(void)read_source(relay, journal);
		return;
	}

	size_t done = write_client(relay, relay->pending + relay->begin, relay->end - relay->begin);

	/* Without a client nothing is pending any more. */
	if (relay->client >= 0)
		relay->begin += done;
}

void relay_drain(struct relay *relay, struct journal *journal)
{
	/*
	 * What it held at the end: somebody outside of the container to whom it passed the
	 * descriptor may write on for ever.
	 */
	int room = relay->source >= 0 ? fcntl(relay->source, F_GETPIPE_SZ) : -1;
	size_t left = room > 0 ? (size_t)room : TERMINAL_MAX;
	size_t n = 1;

	for (; n > 0 && left > 0; left -= n < left ? n : left)
		n = read_source(relay, journal);
	relay_close_source(relay);
}
