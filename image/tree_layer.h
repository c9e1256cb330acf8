/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TREE_LAYER_H
#define CMAN_IMAGE_TREE_LAYER_H

/* What a tree has as a layer above others: whiteouts, opaque directories, marks (image/marks.h). */

#include "image/tree.h"
#include "store/base/buf.h"
#include "store/base/err.h"

/* `entry->path` is not in the layers below. What this archive has there stays. */
int tree_make_whiteout(struct tree *tree, const struct tree_entry *entry, struct err *err);
/* Nothing is in the directory `path` but what this archive has there. */
int tree_make_opaque(struct tree *tree, const char *path, struct err *err);

/* Set times of directories that are left, and add to `marks`. Nothing may be made afterwards. */
int tree_finish(struct tree *tree, struct buf *marks, struct err *err);

#endif
