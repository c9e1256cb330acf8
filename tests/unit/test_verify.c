/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of streams: image/verify.c. The values are FIPS 180-4's own examples. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "image/verify.h"

#define OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_digest(void **state)
{
	AUTO_VERIFY struct verify verify = VERIFY_INIT;
	char hex[DIGEST_HEX_LEN + 1];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(verify_start(&verify, &err), 0);
	assert_int_equal(verify_finish(&verify, hex, &err), 0);
	assert_string_equal(hex, OF_NOTHING);
	/* begun anew, in pieces */
	assert_int_equal(verify_start(&verify, &err), 0);
	assert_int_equal(verify_update(&verify, "x", 1, &err), 0);
	assert_int_equal(verify_start(&verify, &err), 0);
	assert_int_equal(verify.size, 0);
	assert_int_equal(verify_update(&verify, "a", 1, &err), 0);
	assert_int_equal(verify_update(&verify, "", 0, &err), 0);
	assert_int_equal(verify_update(&verify, "bc", 2, &err), 0);
	assert_int_equal(verify.size, 3);
	assert_int_equal(verify_finish(&verify, hex, &err), 0);
	assert_string_equal(hex, OF_ABC);
}

static void test_check(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(verify_check(OF_ABC, OF_ABC, &err), 0);
	assert_int_equal(verify_bytes(OF_ABC, "abc", 3, &err), 0);
	assert_int_equal(verify_bytes(OF_NOTHING, NULL, 0, &err), 0);
	assert_int_equal(verify_bytes(OF_ABC, NULL, 0, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_string_equal(err.text, "checksum mismatch: expected sha256:" OF_ABC
				      ", got sha256:" OF_NOTHING);
}

static void test_parse(void **state)
{
	char hex[DIGEST_HEX_LEN + 1] = "untouched";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(verify_parse_sha256("", hex, &err), -EINVAL);
	assert_int_equal(verify_parse_sha256("sha256:", hex, &err), -EINVAL);
	assert_int_equal(verify_parse_sha256(OF_ABC "0", hex, &err), -EINVAL);
	assert_int_equal(verify_parse_sha256("sha512:" OF_ABC, hex, &err), -EINVAL);
	assert_int_equal(
		verify_parse_sha256("g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991"
				    "b7852b855",
				    hex, &err),
		-EINVAL);
	assert_string_equal(hex, "untouched");
	assert_int_equal(verify_parse_sha256("sha256:" OF_ABC, hex, &err), 0);
	assert_string_equal(hex, OF_ABC);
	assert_int_equal(
		verify_parse_sha256("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991"
				    "B7852B855",
				    hex, &err),
		0);
	assert_string_equal(hex, OF_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
