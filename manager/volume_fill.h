/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_VOLUME_FILL_H
#define CMAN_MANAGER_VOLUME_FILL_H

/*
 * A new volume begins with what the image has at the place where it is mounted, and with the owner
 * and mode of that directory. The content is copied to tmp/, made durable, and renamed to the
 * volume's draft: from there on it is whole, and whoever comes next finishes the moving. So a kill
 * leaves a volume that is empty or full, and what was put into it meanwhile by a container that has
 * it already is never lost. Who fills holds a lock on the volume's directory.
 */

#include <stdbool.h>
#include <stddef.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"
#include "store/volumes.h"

struct store;

/*
 * Fill those of `uses` that ask for it, are empty and were never filled, from the layers of `spec`.
 * `durable`: they have to outlive a power cut. A pending SIGINT, SIGTERM or SIGHUP ends it (EINTR).
 */
int volume_fill(struct store *store, const struct spec *spec, const struct volume_use *uses,
		size_t n, bool durable, struct err *err);

#endif
