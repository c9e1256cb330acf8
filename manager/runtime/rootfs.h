/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_ROOTFS_H
#define CMAN_MANAGER_RUNTIME_ROOTFS_H

/*
 * The root file system: an overlay of an image's layers and a container's upper directory (the
 * kernel's overlayfs.rst), or a directory; and the step into it, pivot_root(2). All in the
 * child's mount namespace.
 */

#include <stdbool.h>
#include <stddef.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/* Mount the root file system somewhere; *out is a descriptor of its root. */
int rootfs_mount(const struct spec *spec, int *out, struct err *err);

/*
 * An overlay of two or more directories (absolute paths, bottom first) that nobody can write to,
 * mounted nowhere: *out is a descriptor of its root.
 */
int rootfs_mount_layers(char *const *lower, int *out, struct err *err);

/* Make it "/", let go of the host's tree, and stand in the new one; *root_fd is opened on it. */
int rootfs_enter(int mount, int *root_fd, struct err *err);

/*
 * One option string for mount(2): "lowerdir=top:…:bottom,upperdir=…,workdir=…". Each directory is
 * given as /proc/self/fd/N, which needs no escapes and little of the one page there is. The
 * descriptors are lower[] (bottom first), upper (-1: none), work. Returns the length, or -E2BIG.
 */
int rootfs_overlay_options(const int *lower, size_t nlower, int upper, int work, bool is_volatile,
			   char *out, size_t size);

#endif
