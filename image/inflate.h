/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INFLATE_H
#define CMAN_IMAGE_INFLATE_H

/*
 * The uncompressed bytes of a stream: gzip, zstd, xz (image/codec.h) or none, told apart by their
 * first bytes. Any number of members follow each other. Counts what comes out, bounds it, and at
 * the end insists that nothing but zeros follows the compressed data.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/codec.h"
#include "image/ring.h"
#include "store/base/err.h"

/* What is below this is never taken for a bomb, however small it was. */
#define INFLATE_EXPANSION_FREE (1LL << 30)

struct inflate {
	struct codec codec;
	int64_t total; /* bytes that came out */
	unsigned char *input;
	size_t in_at; /* of what was read, [in_at, in_len) is still to be looked at */
	size_t in_len;
	int in_fd;
	struct ring *ring; /* where the input comes from; NULL: from in_fd */
	bool in_eof;
	bool in_member;
	bool ended;
	int64_t members;   /* that have begun */
	int64_t limit;	   /* bytes that may come out */
	int64_t expansion; /* for each byte that went in, beyond INFLATE_EXPANSION_FREE; 0: any */
	int64_t in_total;  /* bytes that went in */
};

#define INFLATE_INIT         \
	{                    \
		.in_fd = -1, \
	}
#define AUTO_INFLATE __attribute__((cleanup(inflate_release)))
void inflate_release(struct inflate *inflate);

/* Allocate what is needed; nothing is read yet. `in_fd` stays the caller's. */
int inflate_open(struct inflate *inflate, int in_fd, int64_t limit, int64_t expansion,
		 struct err *err);
/* The same of what the ring brings, as its reader. */
int inflate_open_ring(struct inflate *inflate, struct ring *ring, int64_t limit, int64_t expansion,
		      struct err *err);

/*
 * Fill `out` with the next bytes. *len is less than `room` only at the end, and 0 ever after.
 * ERR_INVALID for a corrupt, truncated or empty stream and for one that goes beyond a limit.
 */
int inflate_read(struct inflate *inflate, void *out, size_t room, size_t *len, struct err *err);

#endif
