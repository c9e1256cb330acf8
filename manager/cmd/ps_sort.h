/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_PS_SORT_H
#define CMAN_MANAGER_CMD_PS_SORT_H

/*
 * `ps --sort FIELD`: which containers in which order, by what their records say. Those that are
 * equal stay in the order in which they came.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/containers.h"

struct store;

/* What --sort takes, for help and messages. */
#define PS_SORT_FIELDS \
	"name, image, command, id, created, started, finished, status, exited, pid, size, restarts"

struct ps_sort_field;

struct ps_sort {
	const struct ps_sort_field *field; /* NULL: none was asked for */
	bool descending;
	struct ps_sort_row *rows;
	size_t n, cap;
};

#define PS_SORT_INIT \
	{            \
		0    \
	}
void ps_sort_release(struct ps_sort *sort);

/* FIELD, or -FIELD from the last to the first. ERR_USAGE names those there are. */
int ps_sort_parse(const char *text, struct ps_sort *out, struct err *err);

/* Remember the container. `store` is for a size, which nothing else looks up. */
int ps_sort_add(struct ps_sort *sort, struct store *store, const struct container_record *record,
		struct err *err);

/* Put them in order. */
void ps_sort_finish(struct ps_sort *sort);

/* The ID of number `i`, as they are in order now. */
const char *ps_sort_id(const struct ps_sort *sort, size_t i);

void ps_sort_reset(struct ps_sort *sort);

#endif
