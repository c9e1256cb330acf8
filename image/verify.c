/* SPDX-License-Identifier: Apache-2.0 */
#include "image/verify.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "store/base/begins.h"

void verify_release(struct verify *verify)
{
	sha256_release(&verify->sha256);
}

static int result(int r, struct err *err)
{
	return r < 0 ? err_set(err, ERR_SYS, EIO, "cannot compute SHA-256: libcrypto failed") : 0;
}

int verify_start(struct verify *verify, struct err *err)
{
	verify->size = 0;
	return result(sha256_begin(&verify->sha256), err);
}

int verify_update(struct verify *verify, const void *data, size_t len, struct err *err)
{
	verify->size += (int64_t)len;
	return result(sha256_add(&verify->sha256, data, len), err);
}

int verify_finish(struct verify *verify, char hex[DIGEST_HEX_LEN + 1], struct err *err)
{
	return result(sha256_finish(&verify->sha256, hex), err);
}

int verify_check(const char *expected, const char *actual, struct err *err)
{
	if (strcmp(expected, actual) == 0)
		return 0;
	return err_set(err, ERR_CORRUPT, EBADMSG,
		       "checksum mismatch: expected sha256:%s, got sha256:%s", expected, actual);
}

int verify_bytes(const char *expected, const void *data, size_t len, struct err *err)
{
	char actual[DIGEST_HEX_LEN + 1];

	if (sha256_hex(data, len, actual) < 0)
		return err_sys(err, ENOMEM, "cannot compute a digest");
	return verify_check(expected, actual, err);
}

int verify_parse_sha256(const char *text, char hex[DIGEST_HEX_LEN + 1], struct err *err)
{
	const char *digits = begins_with(text, "sha256:") ? text + 7 : text;

	if (strlen(digits) != DIGEST_HEX_LEN ||
	    strspn(digits, "0123456789abcdefABCDEF") != DIGEST_HEX_LEN)
		return err_set(err, ERR_INVALID, EINVAL,
			       "'%s' is not a SHA-256 checksum of 64 hexadecimal digits", text);
	for (size_t i = 0; i < DIGEST_HEX_LEN; i++)
		hex[i] = (char)tolower((unsigned char)digits[i]);
	hex[DIGEST_HEX_LEN] = '\0';
	return 0;
}
