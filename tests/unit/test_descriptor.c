/* SPDX-License-Identifier: Apache-2.0 */
/* Media types and digests: image/descriptor.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/descriptor.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_kinds(void **state)
{
	static const struct {
		const char *type;
		enum media_kind kind;
	} cases[] = {
		{ MEDIA_OCI_INDEX, MEDIA_INDEX },
		{ MEDIA_DOCKER_LIST, MEDIA_INDEX },
		{ MEDIA_OCI_MANIFEST, MEDIA_MANIFEST },
		{ MEDIA_DOCKER_MANIFEST "; charset=utf-8", MEDIA_MANIFEST },
		{ "APPLICATION/vnd.oci.image.manifest.v1+JSON", MEDIA_MANIFEST },
		{ MEDIA_OCI_CONFIG, MEDIA_CONFIG },
		{ MEDIA_DOCKER_LAYER_GZIP, MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		  MEDIA_FOREIGN_LAYER },
		{ "application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_SCHEMA1 },
		{ "application/json", MEDIA_UNKNOWN },
		{ MEDIA_OCI_LAYER "+xz", MEDIA_UNKNOWN },
		{ "", MEDIA_UNKNOWN },
		{ "a\nb", MEDIA_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(media_kind(cases[i].type), cases[i].kind);
}

static void test_compressions(void **state)
{
	(void)state;
	for (int c = COMPRESSION_NONE; c <= COMPRESSION_ZSTD; c++)
		assert_int_equal(media_compression(media_oci_layer((enum compression)c)), c);
	assert_int_equal(media_compression(MEDIA_DOCKER_LAYER), COMPRESSION_NONE);
	assert_int_equal(media_compression(MEDIA_DOCKER_LAYER_GZIP), COMPRESSION_GZIP);
	assert_int_equal(media_compression(MEDIA_DOCKER_LAYER_ZSTD), COMPRESSION_ZSTD);
}

static void test_media_type_is_bounded(void **state)
{
	char text[MEDIA_TYPE_MAX + 1], out[MEDIA_TYPE_MAX] = "untouched";

	(void)state;
	memset(text, 'a', sizeof(text));
	text[MEDIA_TYPE_MAX] = '\0';
	assert_false(media_type_set(out, text));
	assert_string_equal(out, "untouched");
	text[MEDIA_TYPE_MAX - 1] = '\0';
	assert_true(media_type_set(out, text));
	assert_string_equal(out, text);
}

static void test_digests(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "sha256:" HEX, 0 },
		{ HEX, -EINVAL },
		{ "sha256:", -EINVAL },
		{ "sha256:" HEX "0", -EINVAL },
		{ "sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		  -EINVAL },
		{ "sha512:" HEX HEX, -ENOTSUP },
		{ "../../etc/passwd", -EINVAL },
		{ "", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char hex[DIGEST_HEX_LEN + 1] = "untouched";
		struct err err = ERR_INIT;

		assert_int_equal(digest_parse(cases[i].text, hex, &err), cases[i].code);
		assert_string_equal(hex, cases[i].code ? "untouched" : HEX);
	}
}

static void test_validity(void **state)
{
	struct descriptor good = { HEX, 1, MEDIA_OCI_LAYER }, bad;

	(void)state;
	assert_true(descriptor_is_valid(&good));
	bad = good;
	bad.size = -1;
	assert_false(descriptor_is_valid(&bad));
	bad = good;
	bad.digest[DIGEST_HEX_LEN] = 'a';
	assert_false(descriptor_is_valid(&bad));
	bad = good;
	bad.digest[0] = '\0';
	assert_false(descriptor_is_valid(&bad));
	bad = good;
	memset(bad.media_type, 'a', sizeof(bad.media_type));
	assert_false(descriptor_is_valid(&bad));
	bad = good;
	strcpy(bad.media_type, "Upper/Case");
	assert_false(descriptor_is_valid(&bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_compressions),
		cmocka_unit_test(test_media_type_is_bounded),
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_validity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
