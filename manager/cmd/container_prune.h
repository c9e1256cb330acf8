/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_CONTAINER_PRUNE_H
#define CMAN_MANAGER_CMD_CONTAINER_PRUNE_H

#include <stdint.h>

#include "store/base/err.h"

struct store;

/*
 * Remove the containers that have ended or were never started, and that were made before
 * `before_ns`; one that was made within the last minute may be about to start, and stays. `labels`:
 * KEY or KEY=VALUE that it must have, ended by NULL. Each is told on stdout ("Deleted: ID"); *bytes
 * grows by what they had written. Their volumes stay.
 */
int container_prune(struct store *store, int64_t before_ns, char *const *labels, int64_t *bytes,
		    struct err *err);

#endif
