/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CONTAINER_MOUNTS_H
#define CMAN_MANAGER_CONTAINER_MOUNTS_H

/*
 * All that a container sees, what is mounted in it (volumes, a tmpfs) included, as detached mounts
 * (open_tree(2)), without devices, set-user-ID and execution. Of one that runs they are clones of
 * those in its mount namespace; for one that does not they are made: its overlay, and its bind
 * mounts.
 */

#include "manager/runtime/spec.h"
#include "store/base/err.h"
#include "store/containers.h"

/*
 * To read and to write; NULL: not asked for. What the container may not write to (--read-only, a
 * volume that is :ro) nobody may here. While *writing of one that does not run is there it must not
 * be started: two overlays on one upper directory. `record` is refreshed. ERR_UNSUPPORTED before
 * Linux 5.12.
 */
int container_mounts_open(const struct container_record *record, const struct spec *spec,
			  int *reading, int *writing, struct err *err);

/* The same of a directory of the host, with what is mounted below it. `dir` is open on it. */
int host_mounts_open(int dir, bool writable, int *mount, struct err *err);

#endif
