/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_LAYERS_H
#define CMAN_STORE_LAYERS_H

/*
 * Layers: unpacked trees under layers/<diff id>/, shared by images, never written again.
 * A layer is unpacked under tmp/, synced (syncfs), renamed, and only then named by a row.
 */

#include <stdbool.h>

#include "store/base/err.h"

struct store;

struct layer_draft {
	char name[48]; /* below tmp/ */
	int fd;	       /* the directory that becomes the layer's root, mode 0755 root:root */
	int lock_fd;   /* flock held: a sweeper leaves it alone while its maker lives */
};

#define LAYER_DRAFT_INIT                \
	{                               \
		.fd = -1, .lock_fd = -1 \
	}

int layer_draft_begin(struct store *store, struct layer_draft *out, struct err *err);

/*
 * Sync and move to layers/<diff_id>; if that layer is there already the draft is dropped. Closes
 * the draft on success; on failure layer_draft_abort() is still to be called. A layer that no
 * image_put() names within 24 h is removed by store_sweep().
 */
int layer_draft_commit(struct store *store, struct layer_draft *draft, const char *diff_id,
		       struct err *err);

/* Remove it; harmless after a commit or on LAYER_DRAFT_INIT. */
void layer_draft_abort(struct store *store, struct layer_draft *draft);

/* Whether layers/<diff_id> is on disk. */
bool layer_exists(struct store *store, const char *diff_id);

#endif
