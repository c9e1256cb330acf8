/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_MOUNT_VISIT_H
#define CMAN_MANAGER_RUNTIME_MOUNT_VISIT_H

/*
 * To get hold of a mount that only another mount namespace shows: mount_namespaces(7), clone(2).
 */

#include "store/base/err.h"

/* Returns a descriptor, or -errno with `err` set. It shares all memory: no printing, no exit. */
typedef int mount_visitor(void *data, struct err *err);

/*
 * Run `visitor` in the mount namespace of the process behind `pidfd` (-1: in a new one, a copy of
 * ours that ends with the visit), by a child that has our descriptors: what it opens is ours, in
 * *out. "/" and the working directory are that namespace's root.
 */
int mount_visit(int pidfd, mount_visitor *visitor, void *data, int *out, struct err *err);

#endif
