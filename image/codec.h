/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CODEC_H
#define CMAN_IMAGE_CODEC_H

/*
 * One member of a compressed stream at a time: a gzip member (RFC 1952, by ISA-L), a zstd frame,
 * skippable ones too (RFC 8878, by libzstd), an xz stream (by liblzma). Each ends with a checksum
 * of what came out, which is checked; gzip's length is as well.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

/*
 * Memory that a decompressor may take on the word of the archive: zstd's window (`--long=27` is
 * the most that its command line tool takes unasked) and all of xz (`-9` needs 65 MiB).
 */
#define CODEC_ZSTD_WINDOW_LOG 27
#define CODEC_XZ_MEMORY (128u << 20)

#define CODEC_MAGIC_LEN 6

enum codec_kind {
	CODEC_NONE,
	CODEC_GZIP,
	CODEC_ZSTD,
	CODEC_XZ,
};

/*
 * How much memory the first member, which begins with `head`, asks for beyond what all take: a
 * zstd frame's window in bytes, RFC 8878 section 3.1.1.1. Of what cannot be told, as much as might
 * be; 0 for the other kinds. CODEC_HEAD_LEN bytes tell all that there is to know.
 */
#define CODEC_HEAD_LEN 13
int64_t codec_window(const void *head, size_t len);

struct codec {
	enum codec_kind kind;
	void *state;
};

#define CODEC_INIT                 \
	{                          \
		.kind = CODEC_NONE \
	}
void codec_release(struct codec *codec);

/* What begins with these bytes (fewer at the end of a file); CODEC_NONE: none of them. */
enum codec_kind codec_recognise(const void *bytes, size_t len);

/* Begin a member. The memory of the one before is used again when it was of the same kind. */
int codec_start(struct codec *codec, enum codec_kind kind, struct err *err);

struct codec_step {
	const unsigned char *in;
	size_t in_len; /* how far it got is subtracted */
	unsigned char *out;
	size_t room; /* likewise */
	bool ended;  /* out: the member is over; `in` is behind it */
};

/*
 * Decompress until the input is used up, the room is full, or the member ends. ERR_INVALID for
 * what is corrupt or asks for more memory than is given.
 */
int codec_run(struct codec *codec, struct codec_step *step, struct err *err);

#endif
