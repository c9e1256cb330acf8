/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_REMOVED_H
#define CMAN_MANAGER_CMD_REMOVED_H

#include <stdbool.h>

/*
 * The `image_removed` of store/images.h that says so on stdout: "Untagged: NAME", "Deleted: ID".
 * `data` is not used.
 */
void removed_print(const char *what, bool deleted, void *data);

#endif
