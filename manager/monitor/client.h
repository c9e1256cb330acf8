/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_CLIENT_H
#define CMAN_MANAGER_MONITOR_CLIENT_H

/*
 * Who is connected to a container: the client that started it, if it stays, and those that attach
 * to it later. Each gets all of the output; what any of them types reaches the container.
 */

#include <stdbool.h>
#include <stddef.h>

#include "manager/monitor/outlet.h"

#define CLIENTS_MAX 16

struct client {
	struct client *next;
	int socket;	      /* protocol.h. Owned */
	int in;		      /* read end of what it types, -1: nothing. Owned */
	struct outlet out[2]; /* stdout and stderr */
	bool is_attached;     /* it has said what it wants; who started the container always has */
	bool is_retired;      /* clients_retire() */
};

struct clients {
	struct client *first; /* the newest */
	size_t count;
};

/*
 * Add one that has nothing but `socket`, which it owns then. NULL, and the socket stays the
 * caller's, where there are CLIENTS_MAX already or no memory.
 */
struct client *clients_add(struct clients *clients, int socket);
/* Close all that it has, and forget it. NULL is allowed. */
void clients_remove(struct clients *clients, struct client *client);
void clients_remove_all(struct clients *clients);

/*
 * The run that they came for has ended, and another one begins: they get what they have still to
 * get of it, hold nothing up any more, and neither hear nor say anything of the next.
 */
void clients_retire(struct clients *clients);
/* One of them holds up stream 0 (stdout) or 1. */
bool clients_hold(const struct clients *clients, int stream);

#endif
