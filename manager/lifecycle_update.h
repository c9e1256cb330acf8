/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_LIFECYCLE_UPDATE_H
#define CMAN_MANAGER_LIFECYCLE_UPDATE_H

/*
 * Changing the limits of a container that is there already: of its cgroups at once if it runs, and
 * of its spec for the starts to come.
 */

#include "manager/limits.h"
#include "store/base/err.h"
#include "store/containers.h"

struct store;

/*
 * On failure neither is changed. Two at once follow one another; a start that goes on at the same
 * time has either the old limits, and gets the new ones here, or the new ones.
 */
int lifecycle_update(struct store *store, struct container_record *record,
		     const struct limits *limits, struct err *err);

/*
 * Held while a container is started, from before its spec is read until its row says running. The
 * descriptor is to be closed; negative where there is nothing to be held.
 */
int lifecycle_hold_spec(struct store *store, const char *id);

#endif
