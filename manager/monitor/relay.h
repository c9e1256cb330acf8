/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_RELAY_H
#define CMAN_MANAGER_MONITOR_RELAY_H

/*
 * One stream of output: from the container's pipe (or terminal) to the journal and, unchanged, to
 * every client. How far clients may hold it up is outlet.h's.
 */

#include <poll.h>

#include "manager/monitor/client.h"
#include "manager/monitor/journal.h"
#include "store/logs.h"

struct relay {
	enum log_stream stream;
	int source; /* non-blocking; -1 once it has ended. Owned */
};

#define RELAY_INIT(which)                       \
	{                                       \
		.stream = (which), .source = -1 \
	}

/* The source, unless a client holds it up; fd -1: nothing. */
struct pollfd relay_poll(const struct relay *relay, const struct clients *clients);
/* Something is there. */
void relay_step(struct relay *relay, struct clients *clients, struct journal *journal);

/* The container has ended: take all that its pipe still holds, however slow the clients are. */
void relay_drain(struct relay *relay, struct clients *clients, struct journal *journal);
void relay_close_source(struct relay *relay);

#endif
