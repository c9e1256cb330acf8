/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_NODES_H
#define CMAN_MANAGER_RUNTIME_NODES_H

/*
 * Device nodes inside a container that the engine opens itself. Whoever filled what is mounted
 * there may have put others in their place, and with many devices opening is doing: so a node is
 * looked at first, and then opened by that descriptor.
 */

#include "store/base/err.h"

/* An O_PATH descriptor of /dev/null below `root_fd`, which has to be the real one. */
int node_find_null(int root_fd, int *out, struct err *err);

/*
 * Open what the O_PATH descriptor `node` names, with `flags` of open(2) and O_CLOEXEC. `proc_fd` is
 * on a procfs that shows this process; -1: the container's own at /proc does. Returns the
 * descriptor or -errno: -ENOTSUP where it is no procfs.
 */
int node_open(int root_fd, int proc_fd, int node, int flags);

#endif
