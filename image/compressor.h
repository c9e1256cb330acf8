/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_COMPRESSOR_H
#define CMAN_IMAGE_COMPRESSOR_H

/*
 * Bytes → a compressed stream in a file: one gzip member (RFC 1952), one zstd frame with a checksum
 * (RFC 8878), or the bytes as they are. The same bytes give the same stream: it holds no time and
 * no name. Bounded memory: about 4 MiB with zstd's default level, 0.3 MiB with gzip.
 */

#include <stddef.h>

#include "image/descriptor.h"
#include "store/base/err.h"

struct compressor {
	enum compression compression;
	int fd;
	void *state;
	unsigned char *out;
};

#define COMPRESSOR_INIT                                   \
	{                                                 \
		.compression = COMPRESSION_NONE, .fd = -1 \
	}
#define AUTO_COMPRESSOR __attribute__((cleanup(compressor_release)))
void compressor_release(struct compressor *compressor);

/* `fd` stays the caller's. `level` 0: what the format's own tool takes. */
int compressor_open(struct compressor *compressor, int fd, enum compression compression, int level,
		    struct err *err);
int compressor_write(struct compressor *compressor, const void *data, size_t len, struct err *err);
/* The end: what is still in memory is written. */
int compressor_finish(struct compressor *compressor, struct err *err);

#endif
