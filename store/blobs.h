/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BLOBS_H
#define CMAN_STORE_BLOBS_H

/*
 * Blobs: bytes under their SHA-256 digest, as published: blobs/sha256/<hex>, as image-spec
 * image-layout.md has them. Never written again. A blob comes to be under tmp/, is made durable,
 * renamed, and only then named by a row, so that what is found under a digest is whole.
 *
 * Digests here are the 64 hex digits alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

#define DIGEST_HEX_LEN 64

struct store;
struct partial;

struct blob_draft {
	int fd;	       /* read-write; flock held: a sweeper leaves it alone while it is open */
	char name[48]; /* below tmp/ */
};

#define BLOB_DRAFT_INIT  \
	{                \
		.fd = -1 \
	}

/* Begin with no bytes. Touches files only: any thread may. */
int blob_draft_begin(struct store *store, struct blob_draft *out, struct err *err);

/*
 * Make it the blob `digest`; one that is there already is kept and the draft dropped. The caller
 * has verified the bytes and made them durable: store_sync() once for any number of drafts. Closes
 * the draft on success; on failure blob_draft_abort() is still to be called. Main thread. A blob
 * that no image_put() names within 24 h is removed by store_sweep().
 */
int blob_draft_commit(struct store *store, struct blob_draft *draft, const char *digest,
		      struct err *err);

/* Remove it; harmless after a commit or on BLOB_DRAFT_INIT. Any thread. */
void blob_draft_abort(struct store *store, struct blob_draft *draft);

/*
 * A whole download becomes the blob `digest`, as blob_draft_commit() does it: the bytes are
 * verified and durable. Closes the partial on success.
 */
int blob_adopt_partial(struct store *store, struct partial *partial, const char *digest,
		       struct err *err);

/*
 * Keep `len` bytes, durable; `digest` becomes what they are found by. For documents of a few KiB:
 * manifests and configs. Main thread.
 */
int blob_put(struct store *store, const void *data, size_t len, char digest[DIGEST_HEX_LEN + 1],
	     struct err *err);

/* Open for reading. ERR_NOT_FOUND where it is not on disk. Any thread. */
int blob_open(struct store *store, const char *digest, int *fd, int64_t *size, struct err *err);

/* Whether it is on disk. Any thread. */
bool blob_exists(struct store *store, const char *digest);

#endif
