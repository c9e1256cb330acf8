/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_TARGET_H
#define CMAN_MANAGER_RUNTIME_TARGET_H

/*
 * Places inside a container's root: mount points, the working directory. An image decides what
 * stands there, so each path is resolved by openat2(2) with RESOLVE_IN_ROOT, and whatever is done
 * to the place is done through the descriptor. No symlink leads out.
 */

#include "store/base/err.h"

enum target_kind { TARGET_DIRECTORY, TARGET_FILE };

/*
 * Open `path` (absolute, as the container sees it) with O_PATH, and make what is missing of it:
 * directories of mode 0755, for TARGET_FILE an empty file of mode 0644 at its end. Symlinks are
 * followed inside `root_fd`, where they dangle, too. A directory where a file is wanted is an
 * error, and the other way round.
 */
int target_ensure(int root_fd, const char *path, enum target_kind kind, int *out, struct err *err);

/*
 * Refuse to mount on `target`, which is what `path` led to, where a symlink of the image led it to
 * /proc, /sys, or the tops of /dev and /dev/pts: what lies over these is what programs, and the
 * engine, take for the kernel's. ERR_INVALID.
 */
int target_check(int root_fd, const char *path, int target, struct err *err);

#endif
