/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CONTAINER_TREE_H
#define CMAN_MANAGER_CONTAINER_TREE_H

/*
 * The files of a container from outside: what its layers show, what is its own, and both together.
 * All are detached mounts (open_tree(2), fsmount(2)): they show on no mount table, and end with
 * their descriptor. What is mounted inside the container (/proc, volumes) is not in them.
 */

#include "manager/runtime/spec.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/strv.h"
#include "store/containers.h"

/* What the image's layers show, merged. */
int container_tree_below(const struct spec *spec, int *mount, struct err *err);

/* The container's own directory: the upper one of its overlay. */
int container_tree_upper(const struct spec *spec, int *mount, struct err *err);

/*
 * What the container sees. Of one that runs (`record` is refreshed) it is the very mount of its
 * root, else one of all directories.
 */
int container_tree_merged(const struct container_record *record, const struct spec *spec,
			  int *mount, struct err *err);

/*
 * The paths in `upper` that are there only because cman needed a place to mount on: empty, not in
 * `below`, and cman's own (/proc, /etc/hosts and the like, not those of volumes). Directories that
 * hold nothing else are among them. Sorted by walk_compare(), relative to the root, to be freed
 * with strv_free().
 */
int container_tree_targets(const struct spec *spec, int upper, int below, char ***out,
			   struct err *err);

#endif
