/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_SHA256_H
#define CMAN_STORE_BASE_SHA256_H

#include <stddef.h>

#define SHA256_HEX_LEN 64

/*
 * SHA-256 (FIPS 180-4), written in lower-case hex. All return 0 or -errno, -ENOMEM where libcrypto
 * fails. Apart from their callers, as <openssl/evp.h> and "store/base/err.h" both want to define
 * ERR_STATE.
 */
int sha256_hex(const void *data, size_t len, char hex[SHA256_HEX_LEN + 1]);
/* Of all bytes from where `fd` stands to its end. Also as read(2). */
int sha256_fd(int fd, char hex[SHA256_HEX_LEN + 1]);

/* Of what comes in pieces. */
struct sha256 {
	struct evp_md_ctx_st *context;
};
#define SHA256_INIT  \
	{            \
		NULL \
	}
#define AUTO_SHA256 __attribute__((cleanup(sha256_release)))
void sha256_release(struct sha256 *sha256);
int sha256_begin(struct sha256 *sha256); /* or begin anew */
int sha256_add(struct sha256 *sha256, const void *data, size_t len);
int sha256_finish(struct sha256 *sha256, char hex[SHA256_HEX_LEN + 1]);

/*
 * Initialise libcrypto, before anything else of it is used, without a configuration file: that
 * could name modules to load, and after a change of root it would be the image's. The above do.
 */
int libcrypto_init(void);

#endif
