/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INHERIT_H
#define CMAN_IMAGE_INHERIT_H

/*
 * Directories that an archive names only by what is in them look, in the merged tree, as the
 * layers below have them: with overlayfs the uppermost one's mode would win, and that is none.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

/*
 * Give each directory of `implicit` (marks.implicit, ended by NULL) in `tree_fd` mode, owner, time
 * of modification and attributes (image/unpack.h: those that are kept) of what the layers below
 * show at its path; `lowers[0]` is the uppermost of these. Whiteouts, opaque directories and what
 * is no directory end the search, as overlayfs would: then it stays as it was made. *changed:
 * something is now other than it was made, so that the tree is right above these layers only. No
 * symlink is followed, in no tree.
 */
int inherit_directories(int tree_fd, char *const *implicit, const int *lowers, size_t nlowers,
			bool *changed, struct err *err);

#endif
