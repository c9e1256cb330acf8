/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TREE_COMPARE_H
#define CMAN_IMAGE_TREE_COMPARE_H

#include <stdbool.h>

#include "store/base/err.h"

#define TREE_DIFFERENCE_MAX 512

/*
 * Whether the tree `actual` is what `wanted` is: names, types, permissions, owners, times of
 * modification, attributes that belong to an image, opaque directories, contents, targets and
 * devices, and which names are links to one file. Both are directories, open for reading, and
 * nobody changes them meanwhile. Of the directories `loose` (sorted by walk_compare(), ended by
 * NULL; NULL: none) only what is in them counts.
 *
 * *same, or `difference` says where the first one is: "etc/motd: its content is other". Paths are
 * cut and not escaped.
 */
int tree_compare(int wanted, int actual, char *const *loose, bool *same,
		 char difference[TREE_DIFFERENCE_MAX], struct err *err);

#endif
