/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_EVENT_FILTER_H
#define CMAN_MANAGER_CMD_EVENT_FILTER_H

/*
 * `--filter KEY=VALUE` of `cman events`. Filters of one key are alternatives, those of different
 * keys must all hold:
 *
 *	container=NAME|ID  image=NAME  volume=NAME  event=ACTION  type=TYPE  label=KEY[=VALUE]
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"
#include "store/events.h"

struct event_filters {
	char *const *texts; /* as they were given, borrowed */
	size_t n;
};

/* ERR_USAGE names what is wrong with it, and the keys there are. */
int event_filter_check(const char *text, struct err *err);
bool event_filters_match(const struct event_filters *filters, const struct event *event);

#endif
