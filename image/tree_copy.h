/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TREE_COPY_H
#define CMAN_IMAGE_TREE_COPY_H

/*
 * A directory with all that is in it, copied as it is: content (holes stay holes), modes, owners,
 * times, symlinks, hard links, device nodes, and the attributes that belong to an image
 * (attributes.h). The tree may be anybody's work; no symlink of it is followed.
 */

#include "store/base/err.h"

/* Now and then; a failure ends the copy and is returned. */
typedef int tree_copy_poll(void *data, struct err *err);

/*
 * `from` and `to` are open directories, `to` is empty and becomes what `from` is. On failure, which
 * names the entry, `to` holds a part.
 */
int tree_copy(int from, int to, tree_copy_poll *poll, void *data, struct err *err);

#endif
