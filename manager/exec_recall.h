/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_EXEC_RECALL_H
#define CMAN_MANAGER_EXEC_RECALL_H

/*
 * What a program that comes later needs of its container's spec, kept beside spec.json in a form
 * that takes no parsing: to parse all of that is a tenth of an exec. It belongs to one state of the
 * file, told by device, inode, size and times, as git's index does it: what may have been changed
 * again within one tick of the clock of such times is not kept. It goes with the container.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "manager/runtime/spec.h"

/*
 * Of the spec.json with that status in the container's directory: whether it is kept, and then in
 * *out what engine_exec() looks at: `namespaces`, `cgroups_path`, `seccomp`, `seccomp_default`, and
 * of the process all that the request does not say.
 */
bool exec_recall(int dir_fd, const struct stat *file, struct spec *out);

/* Without a place to keep it, nothing. */
void exec_remember(int dir_fd, const struct stat *file, const struct spec *spec);

#endif
