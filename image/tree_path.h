/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TREE_PATH_H
#define CMAN_IMAGE_TREE_PATH_H

/* Names in a tree: of entries, of files in it, of attributes. */

#include <stdbool.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/err.h"

struct tree_limits {
	int64_t path_bytes;
	int64_t depth;	  /* components of a path */
	int64_t implicit; /* directories made though no entry names them */
};

/*
 * The path of an entry, relative to the root: without leading slashes, ".", and doubled slashes; ""
 * is the root itself. ERR_INVALID for one that is empty, beyond a limit, or has a ".." component.
 */
int tree_clean_path(const char *path, const struct tree_limits *limits, struct buf *out,
		    struct err *err);

/*
 * Open what is at `path` ("": the root) beneath `root_fd`, of any length, following no symlink;
 * `flags` as for open(2), O_CLOEXEC is added. Returns the descriptor or -errno. openat2(2).
 */
int tree_open_beneath(int root_fd, const char *path, int flags);

/*
 * Whether an extended attribute is part of an image: security.capability and user.*, but not
 * user.overlay.*, which has a meaning for overlayfs.
 */
bool tree_keeps_attribute(const char *name);

#endif
