/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_LAYERS_H
#define CMAN_STORE_LAYERS_H

/*
 * Layers: unpacked trees under layers/<tree>/, shared by images, never written again. A layer is
 * unpacked under tmp/, synced, renamed, and only then named by a row.
 *
 * `tree` is the layer's diff ID; or, where it took the metadata of directories that it has only
 * as the parents of others from the layers below it, the ID of the stack that it ends
 * (image/stack_id.h), which is never a diff ID.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/blobs.h"

struct store;

struct layer_draft {
	char name[48]; /* below tmp/ */
	int fd;	       /* the directory that becomes the layer's root, mode 0755 root:root */
	int lock_fd;   /* flock held: a sweeper leaves it alone while its maker lives */
	int64_t size;  /* of its regular files in bytes, for the record; -1: not told */
};

#define LAYER_DRAFT_INIT                            \
	{                                           \
		.fd = -1, .lock_fd = -1, .size = -1 \
	}

/* Touches files only: any thread may. So does layer_draft_abort(). */
int layer_draft_begin(struct store *store, struct layer_draft *out, struct err *err);

/*
 * Move to layers/<tree>; if that layer is there already the draft is dropped. What is in the draft
 * was made durable by store_sync(), once for any number of drafts. Closes the draft on success; on
 * failure layer_draft_abort() is still to be called. A layer that no image_put() names within 24 h
 * is removed by store_sweep(). Main thread.
 */
int layer_draft_commit(struct store *store, struct layer_draft *draft, const char *tree,
		       const char *diff_id, struct err *err);

/* Remove it; harmless after a commit or on LAYER_DRAFT_INIT. */
void layer_draft_abort(struct store *store, struct layer_draft *draft);

/* The same at once, however large it is: trash_remove_aside() or a sweep removes it. */
void layer_draft_leave(struct store *store, struct layer_draft *draft);

/* Whether layers/<tree> is on disk. Any thread. */
bool layer_exists(struct store *store, const char *tree);

/*
 * The tree that the layer `diff_id` has in the stack that it ends, whose ID is `stack_id`. False
 * where it is not on disk. Any thread.
 */
bool layer_find_tree(struct store *store, const char *diff_id, const char *stack_id,
		     char tree[DIGEST_HEX_LEN + 1]);

/*
 * *known: an image of the store has the layer `diff_id` as the blob `blob`, so that the one has
 * been seen to unpack to the other. That both are there tells nothing: whoever writes a manifest
 * may pair them as he likes. Main thread.
 */
int layer_is_of_blob(struct store *store, const char *diff_id, const char *blob, bool *known,
		     struct err *err);

#endif
