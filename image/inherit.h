/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INHERIT_H
#define CMAN_IMAGE_INHERIT_H

/*
 * Directories that an archive names only by what is in them look, in the merged tree, as the
 * layers below have them: with overlayfs the uppermost one's mode would win, and that is none.
 */

#include <stdbool.h>
#include <stddef.h>

#include "image/interrupt.h"
#include "image/marks.h"
#include "store/base/err.h"

/* Whether a tree with these marks is right only above certain layers: then it is to be called. */
bool inherit_needed(const struct marks *marks);

/*
 * Give each directory of `implicit` (marks.implicit, ended by NULL) in `tree_fd` mode, owner, time
 * of modification and attributes (image/unpack.h: those that are kept) of what the layers below
 * show at its path; `lowers[0]` is the uppermost of these. Whiteouts, opaque directories and what
 * is no directory end the search, as overlayfs would: then it stays as it was made. No symlink is
 * followed, in no tree.
 *
 * Where the root of the tree is opaque, which overlayfs does not look at, each name in the roots
 * of the layers below that it has not gets a whiteout, and its own directories are made opaque.
 *
 * *changed: something is now other than it was made. `interrupt` (NULL: none) ends it with -EINTR.
 */
int inherit_directories(int tree_fd, char *const *implicit, const int *lowers, size_t nlowers,
			const struct interrupt *interrupt, bool *changed, struct err *err);

#endif
