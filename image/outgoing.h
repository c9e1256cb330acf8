/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_OUTGOING_H
#define CMAN_IMAGE_OUTGOING_H

/*
 * What an image of the store is for others: its manifest and the blobs that it names, byte for byte
 * as they were published. Only a layer that no one else reads (an archive compressed by xz, which
 * was pulled as it is) is recompressed by zstd, in the stage cman-pack, and gets a manifest that
 * says so.
 */

#include <stdint.h>

#include "image/descriptor.h"
#include "image/interrupt.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/blobs.h"
#include "store/images.h"

struct store;

struct outgoing {
	struct store *store;
	const struct interrupt *interrupt;
	struct buf manifest;
	char digest[DIGEST_HEX_LEN + 1]; /* of the manifest */
	/* media type of the manifest; the config, then the layers, bottom first */
	struct image_manifest content;
	struct blob_draft *drafts; /* of what was recompressed; as many as blobs */
};

#define OUTGOING_INIT \
	{             \
		0     \
	}
#define AUTO_OUTGOING __attribute__((cleanup(outgoing_release)))
void outgoing_release(struct outgoing *outgoing);

/*
 * `name_or_id` as image_find() takes it. ERR_NOT_FOUND also for an image of an old version of cman,
 * and where a blob is missing; -EINTR. The caller has store_hold(), so that nothing of it is
 * removed as long as it is open. Main thread.
 */
int outgoing_open(struct store *store, const char *name_or_id, const struct interrupt *interrupt,
		  struct outgoing *out, struct err *err);

/*
 * The same with layers of one compression: those that have another one are recompressed. The
 * manifest, and so its digest, is another one then; the configuration stays.
 */
int outgoing_open_as(struct store *store, const char *name_or_id, enum compression compression,
		     const struct interrupt *interrupt, struct outgoing *out, struct err *err);

/* Blob number `index` of content.blobs, for reading from `offset` on. Any thread. */
int outgoing_blob_open(const struct outgoing *outgoing, size_t index, int64_t offset, int *fd,
		       struct err *err);

#endif
