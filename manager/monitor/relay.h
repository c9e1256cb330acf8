/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_RELAY_H
#define CMAN_MANAGER_MONITOR_RELAY_H

/*
 * One stream of output: from the container's pipe (or terminal) to the journal and, unchanged, to
 * the client while there is one. A client that does not keep up holds the container up, as a pipe
 * between two plain programs would; one that is gone is forgotten.
 */

#include <poll.h>
#include <stddef.h>

#include "manager/monitor/journal.h"
#include "store/base/err.h"
#include "store/logs.h"

struct relay {
	enum log_stream stream;
	int source;    /* non-blocking; -1 once it has ended. Owned */
	int client;    /* non-blocking; -1 without one. Owned */
	char *pending; /* what the client has still to get */
	size_t begin, end, capacity;
};

#define RELAY_INIT(which)                                     \
	{                                                     \
		.stream = (which), .source = -1, .client = -1 \
	}
void relay_release(struct relay *relay);

/* What it waits for: the source, or the client to take what is pending; fd -1: nothing. */
struct pollfd relay_poll(const struct relay *relay);
/* That came. */
void relay_step(struct relay *relay, struct journal *journal);

/* The container has ended: take all that its pipe still holds, however slow the client is. */
void relay_drain(struct relay *relay, struct journal *journal);
/* Nothing is pending (any more). */
bool relay_is_delivered(const struct relay *relay);
void relay_drop_client(struct relay *relay);
void relay_close_source(struct relay *relay);

#endif
