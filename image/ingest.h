/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INGEST_H
#define CMAN_IMAGE_INGEST_H

/*
 * Bytes of an archive as they come → a verified layer. The bytes are digested here and unpacked by
 * a stage at the same time, into a draft; only a digest that is right makes the draft a layer.
 */

#include <stdbool.h>
#include <stdint.h>

#include "image/interrupt.h"
#include "image/unpack.h"
#include "image/verify.h"
#include "store/base/err.h"
#include "store/base/stage.h"
#include "store/layers.h"

struct store;

struct ingest {
	struct store *store;
	const struct interrupt *interrupt;
	const char *expected; /* SHA-256 of the archive, hex; NULL: not known */
	struct layer_draft draft;
	struct stage_child stage; /* pid 0: none runs */
	int data_fd;		  /* to the stage */
	int report_fd;
	struct verify digest; /* of what was written: digest.size is the position */
	struct unpack_result result;
	bool refused; /* the stage found the archive at fault, and `refusal` says how */
	struct err refusal;
};

#define INGEST_INIT                                                       \
	{                                                                 \
		.draft = LAYER_DRAFT_INIT, .data_fd = -1, .report_fd = -1 \
	}
#define AUTO_INGEST __attribute__((cleanup(ingest_abort)))

/* Kill the stage and remove the draft. Harmless after ingest_finish(). */
void ingest_abort(struct ingest *ingest);

/* Begin with an empty draft, or begin anew. The pointers stay the caller's. */
int ingest_begin(struct ingest *ingest, struct store *store, const struct interrupt *interrupt,
		 const char *expected, struct err *err);

/*
 * The next bytes. When the archive turns out to be malformed while its digest is known, the
 * rest is still digested, so that ingest_finish() can tell a bad download from a bad archive.
 */
int ingest_write(struct ingest *ingest, const void *data, size_t len, struct err *err);

/*
 * The end of the bytes. `digest`: what they were, also on failure once *digest is not "".
 * ERR_CORRUPT for another digest than expected, ERR_INVALID for a malformed archive. The draft is
 * ready to be committed.
 */
int ingest_finish(struct ingest *ingest, char digest[DIGEST_HEX_LEN + 1], struct err *err);

#endif
