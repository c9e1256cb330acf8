/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/sha256.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK_SIZE (256u << 10)

static void print_hex(const unsigned char *digest, char hex[SHA256_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < SHA256_HEX_LEN / 2; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[SHA256_HEX_LEN] = '\0';
}

/*
 * Without this the first use reads a configuration file, which could name modules to load.
 */
static int begin(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? 0 : -ENOMEM;
}

int sha256_hex(const void *data, size_t len, char hex[SHA256_HEX_LEN + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (begin() < 0 || EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	print_hex(digest, hex);
	return 0;
}

static int digest_all(int fd, EVP_MD_CTX *context, void *chunk)
{
	for (;;) {
		ssize_t n = read(fd, chunk, CHUNK_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if (EVP_DigestUpdate(context, chunk, (size_t)n) != 1)
			return -ENOMEM;
	}
}

int sha256_fd(int fd, char hex[SHA256_HEX_LEN + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = NULL;
	void *chunk = malloc(CHUNK_SIZE);
	int r = chunk ? begin() : -ENOMEM;

	if (r == 0) {
		context = EVP_MD_CTX_new();
		if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
			r = -ENOMEM;
	}
	if (r == 0)
		r = digest_all(fd, context, chunk);
	if (r == 0 && EVP_DigestFinal_ex(context, digest, NULL) != 1)
		r = -ENOMEM;
	EVP_MD_CTX_free(context);
	free(chunk);
	if (r == 0)
		print_hex(digest, hex);
	return r;
}
