/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_JOINED_H
#define CMAN_MANAGER_JOINED_H

/*
 * Containers whose namespaces another one shares (--network container:NAME and its like). A spec
 * keeps their IDs; who they are at the moment is looked up at each start.
 */

#include <stdbool.h>

#include "manager/isolation.h"
#include "manager/runtime/spec.h"
#include "store/base/err.h"
#include "store/containers.h"
#include "store/store.h"

struct joined {
	int namespaces[SPEC_NS_COUNT]; /* by the bits' numbers, -1: none */
	int shm;		       /* a detached clone of what is on /dev/shm, or -1 */
};

#define JOINED_INIT                                                      \
	{                                                                \
		.namespaces = { -1, -1, -1, -1, -1, -1, -1 }, .shm = -1, \
	}
void joined_release(struct joined *joined);

/*
 * Descriptors of all that spec->joins wants of other containers. They are of the very process that
 * the other's record names, and of nobody who was given its number since. ERR_STATE when one does
 * not run, or keeps its IPC namespace to itself; ERR_NOT_FOUND when there is none any more.
 */
int joined_open(struct store *store, const struct spec *spec, struct joined *out, struct err *err);

/*
 * The names that `isolation` has for containers become their IDs. Who joins another's network has
 * its host name, too: then *hostname is set, to be freed. That they run is not asked before the
 * start. ERR_NOT_FOUND.
 */
int joined_resolve(struct store *store, struct isolation *isolation, char **hostname,
		   struct err *err);

/*
 * Who joins another container's network has its hosts, resolv.conf and hostname: mounts of them,
 * but where the user has mounted something.
 */
int joined_share_etc(struct store *store, struct spec *spec, struct err *err);

/*
 * When a process of the container has been killed, and is not reaped yet: whether that was because
 * the container ends whose PID namespace `spec` joins. Then true and its name. The namespace, and
 * with it that container's process 1, cannot be gone before ours is reaped. False where nothing
 * tells so.
 */
bool joined_ends(struct store *store, const struct spec *spec, char name[CONTAINER_NAME_MAX + 1]);

#endif
