/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_VOLUME_PRUNE_H
#define CMAN_MANAGER_CMD_VOLUME_PRUNE_H

#include <stdint.h>

#include "manager/cmd/volume_filter.h"

struct store;

/*
 * Remove the volumes that no container has and that match: with `all` every one, else those that
 * are anonymous. Each is told on stdout ("Deleted: NAME"); *bytes grows by what they held.
 */
int volume_prune(struct store *store, bool all, const struct volume_filters *filters,
		 int64_t *bytes, struct err *err);

#endif
