/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_VERIFY_H
#define CMAN_IMAGE_VERIFY_H

/*
 * A digest over a stream, and the check of it. The stream has to be given whole: only
 * verify_finish() says what it was, and only verify_check() that it is what was published.
 */

#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/images.h"

struct verify {
	struct sha256 sha256;
	int64_t size; /* bytes so far */
};

#define VERIFY_INIT            \
	{                      \
		SHA256_INIT, 0 \
	}
#define AUTO_VERIFY __attribute__((cleanup(verify_release)))
void verify_release(struct verify *verify);

/* Begin, or begin anew. */
int verify_start(struct verify *verify, struct err *err);
int verify_update(struct verify *verify, const void *data, size_t len, struct err *err);
/* The SHA-256 of all bytes, lower-case hex. The stream ends. */
int verify_finish(struct verify *verify, char hex[DIGEST_HEX_LEN + 1], struct err *err);

/* ERR_CORRUPT "checksum mismatch: expected sha256:…, got sha256:…" unless they are the same. */
int verify_check(const char *expected, const char *actual, struct err *err);

/* The same of `len` bytes. */
int verify_bytes(const char *expected, const void *data, size_t len, struct err *err);

/*
 * `text` as a user or a list of checksums writes it: 64 hex digits of either case, with or without
 * "sha256:". Result in lower case, without the prefix. ERR_INVALID.
 */
int verify_parse_sha256(const char *text, char hex[DIGEST_HEX_LEN + 1], struct err *err);

#endif
