/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INGEST_H
#define CMAN_IMAGE_INGEST_H

/*
 * Bytes of an archive as they come → a verified layer. The bytes are digested here, and at the same
 * time decompressed by a stage and unpacked by another into a draft; only a digest that is right
 * makes the draft a layer. The diff ID is digested here as well, between the two
 * (image/handover.h).
 *
 * Any number of these at once, each in a thread of its own: nothing here is shared, and no database
 * is asked. The thread that began one has to live until its end, because the stages die with it
 * (PR_SET_PDEATHSIG). SIGPIPE has to be ignored or blocked.
 */

#include <stdbool.h>
#include <stdint.h>

#include "image/handover.h"
#include "image/interrupt.h"
#include "image/marks.h"
#include "image/ring.h"
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
	struct stage_child inflate; /* pid 0: it does not run */
	struct stage_child unpack;
	int inflate_fd; /* where they report */
	int unpack_fd;
	int marks_fd;
	struct ring in; /* to cman-inflate */
	struct handover handover;
	struct verify digest; /* of what was written: digest.size is the position */
	/* After ingest_finish(): */
	char diff_id[DIGEST_HEX_LEN + 1]; /* SHA-256 of the uncompressed archive */
	struct unpack_result result;
	struct marks marks; /* .implicit is for inherit_directories() */
	bool refused;	    /* a stage found the archive at fault, and `refusal` says how */
	struct err refusal;
};

#define INGEST_INIT                                                                           \
	{                                                                                     \
		.draft = LAYER_DRAFT_INIT, .inflate_fd = -1, .unpack_fd = -1, .marks_fd = -1, \
		.in = RING_INIT, .handover = HANDOVER_INIT,                                   \
	}
#define AUTO_INGEST __attribute__((cleanup(ingest_abort)))

/* Kill the stages and remove the draft. Harmless after ingest_finish(). */
void ingest_abort(struct ingest *ingest);

/*
 * Begin with an empty draft, or begin anew. The pointers stay the caller's. `limits` NULL: the
 * defaults. With `expected` an archive without an end marker is taken: its digest vouches for it.
 */
int ingest_begin(struct ingest *ingest, struct store *store, const struct interrupt *interrupt,
		 const char *expected, const struct unpack_limits *limits, struct err *err);

/*
 * The next bytes. When the archive turns out to be malformed while its digest is known, the
 * rest is still digested, so that ingest_finish() can tell a bad download from a bad archive.
 */
int ingest_write(struct ingest *ingest, const void *data, size_t len, struct err *err);

/*
 * The two halves of that, for who gives the bytes later than they come: digested are all of them,
 * in order, and then all are unpacked, in order. Not for an ingest_write() between.
 */
int ingest_digest(struct ingest *ingest, const void *data, size_t len, struct err *err);
int ingest_unpack(struct ingest *ingest, const void *data, size_t len, struct err *err);

/*
 * The end of the bytes. `digest`: what they were, also on failure once *digest is not "".
 * ERR_CORRUPT for another digest than expected, ERR_INVALID for a malformed archive. The draft is
 * ready to be committed: a layer by itself, with whiteouts and opaque directories as overlayfs
 * wants them. An archive without any entry is a layer, too: `result.entries` tells.
 */
int ingest_finish(struct ingest *ingest, char digest[DIGEST_HEX_LEN + 1], struct err *err);

#endif
