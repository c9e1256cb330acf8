/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_LAYERS_RETIRE_H
#define CMAN_STORE_LAYERS_RETIRE_H

#include "store/base/err.h"

struct store;

/*
 * Remove layers/<diff_id> unless a row of table layer names it. Rows go first, in a transaction of
 * their own, so that a kill in between leaves a directory without a row, which store_sweep() finds;
 * the other order would leave an image without its layer. The check is made again under the write
 * lock, as somebody may just have committed the same layer. For images.c and sweep.c.
 */
int layer_retire(struct store *store, const char *diff_id, struct err *err);

#endif
