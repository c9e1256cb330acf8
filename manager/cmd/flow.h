/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_FLOW_H
#define CMAN_MANAGER_CMD_FLOW_H

/*
 * Bytes from one descriptor to another, a step at a time, as poll(2) allows. Spliced (splice(2))
 * where the kernel can, else through a buffer. The user's own descriptors stay blocking, because
 * O_NONBLOCK would be set for everybody who shares them: they are written to only when poll says
 * so, and then no more than surely fits.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "manager/cmd/detach.h"

struct flow {
	int from, to;
	struct detach_keys *keys; /* watched for in what passes; NULL: not */
	char *buffer;
	size_t chunk;	   /* bytes read at once */
	size_t begin, end; /* of what is in the buffer */
	bool splice;
	bool blocked; /* spliced until `to` was full */
};

enum flow_result {
	FLOW_GOES_ON,
	FLOW_ENDED,    /* end of file at `from`, everything is written */
	FLOW_BROKEN,   /* `to` cannot be written any more: errno */
	FLOW_DETACHED, /* the keys were typed */
};

/* `from` or `to` -1: a flow that does nothing. */
void flow_init(struct flow *flow, int from, int to, struct detach_keys *keys);
void flow_release(struct flow *flow); /* frees the buffer, closes nothing */

/* Whether it waits for `to`. */
bool flow_has_pending(const struct flow *flow);
/* What it waits for; fd -1 where it does nothing. */
struct pollfd flow_poll(const struct flow *flow);
/* That came. */
enum flow_result flow_step(struct flow *flow);

#endif
