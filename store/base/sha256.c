/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/sha256.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/base/cleanup.h"

#define CHUNK_SIZE (256u << 10)

int libcrypto_init(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? 0 : -ENOMEM;
}

void sha256_release(struct sha256 *sha256)
{
	EVP_MD_CTX_free(sha256->context);
	sha256->context = NULL;
}

int sha256_begin(struct sha256 *sha256)
{
	if (libcrypto_init() < 0)
		return -ENOMEM;
	if (!sha256->context)
		sha256->context = EVP_MD_CTX_new();
	return sha256->context && EVP_DigestInit_ex(sha256->context, EVP_sha256(), NULL) == 1 ?
		       0 :
		       -ENOMEM;
}

int sha256_add(struct sha256 *sha256, const void *data, size_t len)
{
	return EVP_DigestUpdate(sha256->context, data, len) == 1 ? 0 : -ENOMEM;
}

int sha256_finish(struct sha256 *sha256, char hex[SHA256_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(sha256->context, digest, NULL) != 1)
		return -ENOMEM;
	for (int i = 0; i < SHA256_HEX_LEN / 2; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[SHA256_HEX_LEN] = '\0';
	return 0;
}

int sha256_hex(const void *data, size_t len, char hex[SHA256_HEX_LEN + 1])
{
	AUTO_SHA256 struct sha256 sha256 = SHA256_INIT;
	int r = sha256_begin(&sha256);

	if (r == 0)
		r = sha256_add(&sha256, data, len);
	return r < 0 ? r : sha256_finish(&sha256, hex);
}

static int add_all(struct sha256 *sha256, int fd, void *chunk)
{
	for (;;) {
		ssize_t n = read(fd, chunk, CHUNK_SIZE);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = sha256_add(sha256, chunk, (size_t)n);
		if (r < 0)
			return r;
	}
}

int sha256_fd(int fd, char hex[SHA256_HEX_LEN + 1])
{
	AUTO_SHA256 struct sha256 sha256 = SHA256_INIT;
	AUTO_FREE void *chunk = malloc(CHUNK_SIZE);
	int r = chunk ? sha256_begin(&sha256) : -ENOMEM;

	if (r == 0)
		r = add_all(&sha256, fd, chunk);
	return r < 0 ? r : sha256_finish(&sha256, hex);
}
