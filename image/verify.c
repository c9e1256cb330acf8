/* SPDX-License-Identifier: Apache-2.0 */
#include "image/verify.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* libcrypto has a type of the name of one of our error kinds. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/crypto.h>
#include <openssl/evp.h>
#undef ERR_STATE

void verify_release(struct verify *verify)
{
	EVP_MD_CTX_free(verify->ctx);
	verify->ctx = NULL;
}

static int failed(struct err *err)
{
	return err_set(err, ERR_SYS, EIO, "cannot compute SHA-256: libcrypto failed");
}

int verify_library_init(struct err *err)
{
	/* It could name modules to load, and after a change of root it would be the image's. */
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? 0 : failed(err);
}

int verify_start(struct verify *verify, struct err *err)
{
	int r = verify_library_init(err);

	if (r < 0)
		return r;
	if (!verify->ctx)
		verify->ctx = EVP_MD_CTX_new();
	if (!verify->ctx || EVP_DigestInit_ex(verify->ctx, EVP_sha256(), NULL) != 1)
		return failed(err);
	verify->size = 0;
	return 0;
}

int verify_update(struct verify *verify, const void *data, size_t len, struct err *err)
{
	if (EVP_DigestUpdate(verify->ctx, data, len) != 1)
		return failed(err);
	verify->size += (int64_t)len;
	return 0;
}

int verify_finish(struct verify *verify, char hex[DIGEST_HEX_LEN + 1], struct err *err)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (EVP_DigestFinal_ex(verify->ctx, sum, &len) != 1 || len * 2 != DIGEST_HEX_LEN)
		return failed(err);
	for (unsigned int i = 0; i < len; i++) {
		hex[2 * i] = "0123456789abcdef"[sum[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
	}
	hex[DIGEST_HEX_LEN] = '\0';
	return 0;
}

int verify_check(const char *expected, const char *actual, struct err *err)
{
	if (strcmp(expected, actual) == 0)
		return 0;
	return err_set(err, ERR_CORRUPT, EBADMSG,
		       "checksum mismatch: expected sha256:%s, got sha256:%s", expected, actual);
}

int verify_parse_sha256(const char *text, char hex[DIGEST_HEX_LEN + 1], struct err *err)
{
	const char *digits = strncmp(text, "sha256:", 7) == 0 ? text + 7 : text;

	if (strlen(digits) != DIGEST_HEX_LEN ||
	    strspn(digits, "0123456789abcdefABCDEF") != DIGEST_HEX_LEN)
		return err_set(err, ERR_INVALID, EINVAL,
			       "'%s' is not a SHA-256 checksum of 64 hexadecimal digits", text);
	for (size_t i = 0; i < DIGEST_HEX_LEN; i++)
		hex[i] = (char)tolower((unsigned char)digits[i]);
	hex[DIGEST_HEX_LEN] = '\0';
	return 0;
}
