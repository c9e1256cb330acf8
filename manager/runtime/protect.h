/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_PROTECT_H
#define CMAN_MANAGER_RUNTIME_PROTECT_H

/* Masked and read-only paths (OCI runtime-spec config-linux.md), and a read-only root. */

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * Cover each masked path: a directory by an empty read-only one, anything else by /dev/null. Make
 * each read-only path so, with all mounts below, and last the root if the spec says so. Paths
 * that are not there are passed over.
 */
int protect_paths(const struct spec *spec, int root_fd, struct err *err);

#endif
