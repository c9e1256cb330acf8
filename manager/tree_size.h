/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_TREE_SIZE_H
#define CMAN_MANAGER_TREE_SIZE_H

#include <stdint.h>

#include "store/base/err.h"

/*
 * Bytes of the regular files in the tree below `dir_fd`; a file with several names in it counts
 * once. The tree may be a container's, and may change meanwhile.
 */
int tree_size(int dir_fd, int64_t *bytes, struct err *err);

#endif
