/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_VOLUMES_DIR_H
#define CMAN_STORE_VOLUMES_DIR_H

/* The directories of volumes, for store/volumes.c, which holds the write lock meanwhile. */

#include "store/base/err.h"

struct store;

/* volumes/<name>/_data, or what is missing of it. */
int volume_dir_make(struct store *store, int volumes_fd, const char *name, struct err *err);

/* Undo what a kill left of volume_dir_take_away() and no commit: the volume has its row. */
int volume_dir_put_back(struct store *store, int volumes_fd, const char *name, struct err *err);

/*
 * Rename it, for its row is deleted in the same transaction. *gone is what it is called now (to be
 * freed), for fd_remove_tree() after the commit; NULL where there was none.
 */
int volume_dir_take_away(struct store *store, int volumes_fd, const char *name, char **gone,
			 struct err *err);

#endif
