/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/sha256.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

int sha256_hex(const void *data, size_t len, char hex[SHA256_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];

	/*
	 * Without this the first use reads a configuration file, which could name modules to load.
	 */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
	    EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	for (int i = 0; i < SHA256_HEX_LEN / 2; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[SHA256_HEX_LEN] = '\0';
	return 0;
}
