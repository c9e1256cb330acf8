/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_COLLECT_H
#define CMAN_STORE_COLLECT_H

/*
 * Removing layers and blobs that no image names. Rows go first, in a transaction of their own, so
 * that a kill in between leaves a file without a row, which store_sweep() finds; the other order
 * would leave an image without its layer. The rows of images that named them are durably gone
 * before that. Only who holds the store alone (hold.h) removes rows.
 * Files are moved out of sight meanwhile, which is quick, and removed by collect_trash() when
 * nobody waits any more. For images_remove.c, sweep.c, prune.c and fsck.c.
 */

#include <stdint.h>

#include "store/base/err.h"

struct store;

enum collect_kind { COLLECT_LAYERS, COLLECT_BLOBS };

/*
 * Take away the layers or blobs that no image names any more, and those that none has ever named
 * and that are older than `before_ns`. *bytes, where not NULL, grows by what that frees.
 */
int collect_unnamed(struct store *store, enum collect_kind kind, int64_t before_ns, int64_t *bytes,
		    struct err *err);

/*
 * Take away the file or directory of one, unless a row names it, which is looked up under the write
 * lock, as somebody may just have committed the same. Missing is success.
 */
int collect_file(struct store *store, enum collect_kind kind, const char *digest, struct err *err);

/* Remove for good what was taken away, by whomever. */
int collect_trash(struct store *store, struct err *err);

#endif
