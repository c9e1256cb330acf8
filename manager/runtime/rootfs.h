/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_ROOTFS_H
#define CMAN_MANAGER_RUNTIME_ROOTFS_H

/*
 * The root file system: an overlay of an image's layers and a container's upper directory (the
 * kernel's overlayfs.rst), or a directory; and the step into it, pivot_root(2).
 */

#include <stdbool.h>
#include <stddef.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * In the parent: the overlay as a detached mount, which the child only has to attach. *out is -1
 * where the child has to make the root itself: a directory, or a kernel before 6.5, whose
 * overlays have to be mounted at a place.
 */
int rootfs_prepare(const struct spec *spec, int *out, struct err *err);

/* In the child: from here on nothing that is mounted shows on the host. */
int rootfs_isolate(struct err *err);

/*
 * In the child: make `mount` (-1: what rootfs_prepare() left to be done here) the root, let go of
 * the host's tree, and stand in the new one; *root_fd is opened on it.
 */
int rootfs_enter(const struct spec *spec, int mount, int *root_fd, struct err *err);

/*
 * One option string for mount(2): "lowerdir=top:…:bottom,upperdir=…,workdir=…". Each directory is
 * given as /proc/self/fd/N, which needs no escapes and little of the one page there is. The
 * descriptors are lower[] (bottom first), upper, work. Returns the length, or -E2BIG.
 */
int rootfs_overlay_options(const int *lower, size_t nlower, int upper, int work, bool is_volatile,
			   char *out, size_t size);

#endif
