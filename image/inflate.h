/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INFLATE_H
#define CMAN_IMAGE_INFLATE_H

/*
 * The uncompressed bytes of a stream: gzip (RFC 1952), zstd (RFC 8878), xz or none, told apart by
 * their first bytes. Counts and digests what comes out, bounds it, and at the end insists that
 * nothing but zeros follows the compressed data.
 */

#include <stddef.h>
#include <stdint.h>

#include "image/verify.h"
#include "store/base/err.h"

struct archive;

struct inflate {
	struct archive *reader;
	struct verify digest; /* of what came out: its size and, at the end, the diff ID */
	char *input;
	int in_fd;
	int stop_fd;	   /* a read of the input ends when this can be read; -1: none */
	int read_errno;	   /* of the input, 0: none */
	int64_t limit;	   /* bytes that may come out */
	int64_t in_total;  /* bytes that went in */
	int64_t in_zeros;  /* of them zero bytes at the end */
	int64_t out_zeros; /* of digest.size, zero bytes at the end */
};

#define INFLATE_INIT        \
	{                   \
		.in_fd = -1 \
	}
#define AUTO_INFLATE __attribute__((cleanup(inflate_release)))
void inflate_release(struct inflate *inflate);

/* Allocate what is needed; nothing is read yet. `in_fd` stays the caller's. */
int inflate_open(struct inflate *inflate, int in_fd, int64_t limit, struct err *err);

/*
 * The next block, valid until the next call; *len 0 at the end. ERR_INVALID for a corrupt,
 * truncated or empty stream and for one that holds more than the limit.
 */
int inflate_next(struct inflate *inflate, const void **block, size_t *len, struct err *err);

#endif
