/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/client.h"

#include <stdlib.h>

#include "store/base/cleanup.h"

struct client *clients_add(struct clients *clients, int socket)
{
	struct client *client;

	if (clients->count >= CLIENTS_MAX)
		return NULL;
	client = malloc(sizeof(*client));
	if (!client)
		return NULL;
	*client = (struct client){
		.next = clients->first,
		.socket = socket,
		.in = -1,
		.out = { OUTLET_INIT, OUTLET_INIT },
	};
	clients->first = client;
	clients->count++;
	return client;
}

void clients_remove(struct clients *clients, struct client *client)
{
	struct client **link = &clients->first;

	if (!client)
		return;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	clients->count--;
	cleanup_close(&client->socket);
	cleanup_close(&client->in);
	outlet_close(&client->out[0]);
	outlet_close(&client->out[1]);
	free(client);
}

void clients_remove_all(struct clients *clients)
{
	while (clients->first)
		clients_remove(clients, clients->first);
}

void clients_retire(struct clients *clients)
{
	for (struct client *client = clients->first; client; client = client->next) {
		client->is_retired = true;
		cleanup_close(&client->in);
	}
}

bool clients_hold(const struct clients *clients, int stream)
{
	for (const struct client *client = clients->first; client; client = client->next)
		if (!client->is_retired && outlet_holds(&client->out[stream]))
			return true;
	return false;
}
