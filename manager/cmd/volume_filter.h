/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_VOLUME_FILTER_H
#define CMAN_MANAGER_CMD_VOLUME_FILTER_H

/*
 * `--filter KEY=VALUE` of lists of volumes. Filters of one key are alternatives (but label: all of
 * them), those of different keys must all hold:
 *
 *	dangling=true|false	that no container has
 *	driver=local
 *	label=KEY[=VALUE]  label!=KEY[=VALUE]
 *	name=REGEX
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"
#include "store/volumes.h"

struct volume_filter;

struct volume_filters {
	struct volume_filter *list;
	size_t n;
};

#define VOLUME_FILTERS_INIT \
	{                   \
		0           \
	}
#define AUTO_VOLUME_FILTERS __attribute__((cleanup(volume_filters_release)))
void volume_filters_release(struct volume_filters *filters);

/* Add what --filter was given; `text` stays the caller's. ERR_USAGE tells the keys there are. */
int volume_filters_add(struct volume_filters *filters, const char *text, struct err *err);

bool volume_filters_match(const struct volume_filters *filters, const struct volume_record *record);

#endif
