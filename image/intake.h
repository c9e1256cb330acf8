/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INTAKE_H
#define CMAN_IMAGE_INTAKE_H

/*
 * One layer on its way in: the bytes of an archive, as they come, become its blob as published and
 * its tree, in one pass. They are digested and kept here and unpacked by a stage, and nothing is
 * read back. All of it lands under temporary names; image/assemble.h moves it to where it belongs.
 *
 *	AUTO_INTAKE struct intake intake = INTAKE_INIT;
 *	r = intake_fd(&intake, &options, fd, err);
 *	…
 *	assembly_layer_take(&layer, &intake);
 *
 * Files only: any thread may have one. An intake stays where it is in memory once it has begun.
 */

#include <stdbool.h>
#include <stdint.h>

#include "image/codec.h"
#include "image/ingest.h"
#include "image/interrupt.h"
#include "image/turns.h"
#include "store/base/err.h"
#include "store/blobs.h"
#include "store/partials.h"

struct store;

struct intake_options {
	struct store *store;
	const struct interrupt *interrupt;
	const struct unpack_limits *limits; /* NULL: the defaults */
	const char *expected;		    /* SHA-256 of the bytes, hex; NULL: not known */
	/* The bytes are not kept: they are a blob of this store, or no layer of an image. */
	bool tree_only;
	/*
	 * Layers with large windows (image/turns.h) are unpacked in turn: one whose turn it is not
	 * yet is kept and digested meanwhile, and unpacked from what was kept. NULL: at once.
	 */
	const struct turns *turns;
	/* How many bytes are through; NULL: nobody wants to know. In the thread that writes. */
	void (*progress)(int64_t done, void *data);
	void *data;
};

struct intake {
	struct intake_options options;
	struct ingest ingest;	/* its draft is the tree; ingest.result tells of it at the end */
	struct blob_draft blob; /* what keeps the bytes … */
	struct partial partial; /* … or this, where a download is kept for a resume */
	/* the first bytes: they tell how the archive is compressed */
	unsigned char magic[CODEC_MAGIC_LEN];
	bool has_turn;
	bool late;	  /* what came is still to be unpacked … */
	int64_t unpacked; /* … and this of it is */
	/* At the end: */
	char digest[DIGEST_HEX_LEN + 1]; /* SHA-256 of all bytes; "" before */
	int64_t size;			 /* of all bytes */
};

#define INTAKE_INIT                                                                     \
	{                                                                               \
		.ingest = INGEST_INIT, .blob = BLOB_DRAFT_INIT, .partial = PARTIAL_INIT \
	}
#define AUTO_INTAKE __attribute__((cleanup(intake_release)))
/* What was not assembled is removed, but for a partial: that is kept for a resume. */
void intake_release(struct intake *intake);

/*
 * Begin, or begin anew. Where `intake->partial` is open the bytes are kept in that, from its end
 * on (those that it has are given by intake_write_kept()), else in a draft. The pointers of
 * `options` stay the caller's.
 */
int intake_begin(struct intake *intake, const struct intake_options *options, struct err *err);

/* The next bytes. As ingest_write(). */
int intake_write(struct intake *intake, const void *bytes, size_t len, struct err *err);

/* Bytes that the partial holds and this process has not seen: all of them, from the beginning. */
int intake_write_kept(struct intake *intake, struct err *err);

/* The end of the bytes: digest and size are set, the draft is whole. As ingest_finish(). */
int intake_finish(struct intake *intake, struct err *err);

/* All of these, for what `fd` (a file, a pipe, a socket) gives until its end. */
int intake_fd(struct intake *intake, const struct intake_options *options, int fd, struct err *err);

/*
 * The media type that a manifest made here gives the bytes: image-spec's for plain, gzip and zstd;
 * "application/vnd.oci.image.layer.v1.tar+xz" for what has to be written anew before others can
 * read it.
 */
const char *intake_media_type(const struct intake *intake);

#endif
