/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_FILTER_H
#define CMAN_MANAGER_CMD_FILTER_H

/*
 * `--filter KEY=VALUE` of lists of containers. Filters of one key are alternatives, those of
 * different keys must all hold:
 *
 *	id=PREFIX  name=REGEX  status=STATE  exited=STATUS  image=REFERENCE (or ancestor=)
 *	label=KEY[=VALUE]  health=STATE  before=CONTAINER  since=CONTAINER
 *	volume=NAME|DIRECTORY  network=NETWORK
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"
#include "store/containers.h"

struct filter;
struct store;

struct filters {
	struct filter *list;
	size_t n;
};

#define FILTERS_INIT \
	{            \
		0    \
	}
#define AUTO_FILTERS __attribute__((cleanup(filters_release)))
void filters_release(struct filters *filters);

/* Add what --filter was given. ERR_USAGE names what is wrong with it, and the keys there are. */
int filters_add(struct filters *filters, const char *text, struct err *err);

/* Whether one asks for states, so that a list should not leave ended containers out by itself. */
bool filters_ask_for_state(const struct filters *filters);

/*
 * Before the first match: find the containers that before= and since= name, or ERR_NOT_FOUND, and
 * keep `store` for what a record does not say.
 */
int filters_bind(struct filters *filters, struct store *store, struct err *err);

bool filters_match(const struct filters *filters, const struct container_record *record);

#endif
