/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TREE_WALK_H
#define CMAN_IMAGE_TREE_WALK_H

/* From the name of an entry to the opened directory that it is made in. For image/tree.c. */

#include <stdbool.h>

#include "image/tree.h"
#include "store/base/err.h"

/*
 * "TEXT: strerror(num)". ERR_INVALID where only the archive's own names can be why (files where
 * directories should be, loops of symlinks, names too long for any file), else ERR_SYS.
 */
int tree_failed(struct err *err, int num, const char *text);

/*
 * The directory `path` ("": the root), whose components may be symlinks; with `create` what is
 * missing is made, as mkdir -p does, and what is a whiteout becomes an opaque directory. *dir is
 * lent until the next call of a function of this file.
 */
int tree_walk(struct tree *tree, const char *path, bool create, struct tree_parent **dir,
	      struct err *err);

/* The directory that holds the last component of `path`, as above, and that component. */
int tree_walk_to_parent(struct tree *tree, const char *path, bool create, struct tree_parent **dir,
			const char **leaf, struct err *err);

/*
 * The same of an entry that is about to be made: what is missing is made, and the directory
 * touched. ERR_INVALID for the root.
 */
int tree_walk_to_change(struct tree *tree, const char *path, struct tree_parent **dir,
			const char **leaf, struct err *err);

/* The open directory at `path` (without symlinks), or NULL. */
struct tree_parent *tree_kept(struct tree *tree, const char *path);

/* A symlink goes: what was written through it may be elsewhere now. */
void tree_forget_written(struct tree *tree);

/* Set times where that is due, and close all but the root. */
int tree_close_parents(struct tree *tree, struct err *err);

/* PATH/LEAF, or LEAF in the root; to be freed. NULL without memory. */
char *tree_join(const char *path, const char *leaf, size_t leaf_len);

/* Remember a mark of the directory `path`. */
int tree_mark(struct tree *tree, const char *path, enum mark_kind kind, struct err *err);

#endif
