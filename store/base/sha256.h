/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_SHA256_H
#define CMAN_STORE_BASE_SHA256_H

#include <stddef.h>

#define SHA256_HEX_LEN 64

/*
 * The SHA-256 digest (FIPS 180-4) of `len` bytes in lower-case hex. 0 or -ENOMEM. Apart from its
 * callers, as <openssl/evp.h> and "store/base/err.h" both want to define ERR_STATE.
 */
int sha256_hex(const void *data, size_t len, char hex[SHA256_HEX_LEN + 1]);

/* Of all bytes from where `fd` stands to its end. 0 or -errno: as read(2), -ENOMEM. */
int sha256_fd(int fd, char hex[SHA256_HEX_LEN + 1]);

#endif
