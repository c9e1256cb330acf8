/* SPDX-License-Identifier: Apache-2.0 */
/* Image references and URLs: image/ref.c, image/url.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/ref.h"
#include "image/url.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG250 LONG50 LONG50 LONG50 LONG50 LONG50

static void test_valid(void **state)
{
	static const char *const cases[][2] = {
		{ "ubuntu-base", "ubuntu-base:latest" },
		{ "ubuntu-base:24.04", "ubuntu-base:24.04" },
		{ "a", "a:latest" },
		{ "a__b", "a__b:latest" },
		{ "a_b.c---d", "a_b.c---d:latest" },
		{ "library/nginx", "library/nginx:latest" },
		{ "docker.io/library/nginx:1.27", "docker.io/library/nginx:1.27" },
		{ "localhost/x", "localhost/x:latest" },
		{ "localhost:5000/x", "localhost:5000/x:latest" },
		{ "Example.COM/x", "Example.COM/x:latest" },
		{ "a-b.c/x:_T.ag-1", "a-b.c/x:_T.ag-1" },
		{ "[::1]:5000/x", "[::1]:5000/x:latest" },
		{ "[::1]/x", "[::1]/x:latest" },
		{ "x@sha256:" HEX64, "x@sha256:" HEX64 },
		{ "x:tag@sha256:" HEX64, "x:tag@sha256:" HEX64 },
		{ HEX64 "0", HEX64 "0:latest" },
		{ "x/" HEX64, "x/" HEX64 ":latest" },
		{ "LOCAL/x", "LOCAL/x:latest" },
		{ LONG250 "aaaaa", LONG250 "aaaaa:latest" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		char *out = NULL;

		assert_int_equal(ref_normalize(cases[i][0], &out, &err), 0);
		assert_string_equal(out, cases[i][1]);
		free(out);
	}
}

static void test_invalid(void **state)
{
	static const char *const cases[] = {
		"",
		":",
		":tag",
		"@",
		"x:",
		"x@",
		"X",
		"ubuntu base",
		"a/",
		"/a",
		"a//b",
		"-a",
		"a-",
		"a_",
		"_a",
		"a___b",
		"a._b",
		"a..b",
		".a",
		"a.",
		"x:-t",
		"x:.t",
		"x:a b",
		"x:a/b:",
		"x@sha256:abc",
		"x@sha256:" HEX64 "0",
		"x@" HEX64,
		"x@:" HEX64,
		"x@sha256:" HEX64 "@y",
		"x@sha256:0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
		"host.a:/x",
		"host.a:port/x",
		"host.a:123456/x",
		"-h.a/x",
		"h-.a/x",
		"a..b/x",
		".a/x",
		"a./x",
		"[::1/x",
		"[]/x",
		"[::1]x/y",
		"x\n",
		"x\x1b[31m",
		"x\xc3\xa4",
		LONG250 "aaaaaa",
		"x:" LONG50 LONG50 LONG50,
		HEX64,
		HEX64 ":latest",
		"./x",
		"../x",
		"a/../b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		char *out = (char *)1;

		assert_int_equal(ref_normalize(cases[i], &out, &err), -EINVAL);
		assert_ptr_equal(out, (char *)1);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_true(strncmp(err.text, "invalid image name '", 20) == 0);
	}
}

static void parse(const char *word, const char *registry, const char *repository, const char *tag,
		  const char *digest)
{
	AUTO_REF struct ref ref = REF_INIT;
	struct err err = ERR_INIT;
	char *again = NULL;

	assert_int_equal(ref_parse(word, &ref, &err), 0);
	assert_true(registry ? ref.registry && strcmp(ref.registry, registry) == 0 : !ref.registry);
	assert_string_equal(ref.repository, repository);
	assert_true(tag ? ref.tag && strcmp(ref.tag, tag) == 0 : !ref.tag);
	assert_true(digest ? ref.digest && strcmp(ref.digest, digest) == 0 : !ref.digest);
	assert_int_equal(ref_format(&ref, &again, &err), 0);
	assert_string_equal(again, word);
	free(again);
}

static void test_parse(void **state)
{
	(void)state;
	parse("nginx", NULL, "nginx", NULL, NULL);
	parse("a/b/c:t", NULL, "a/b/c", "t", NULL);
	parse("localhost/x", "localhost", "x", NULL, NULL);
	parse("LOCAL/x", "LOCAL", "x", NULL, NULL);
	parse("host:5000/a/b", "host:5000", "a/b", NULL, NULL);
	parse("host.name/a:1.2", "host.name", "a", "1.2", NULL);
	parse("[fe80::1]:80/a:b", "[fe80::1]:80", "a", "b", NULL);
	parse("127.0.0.1:5000/a@sha256:" HEX64, "127.0.0.1:5000", "a", NULL, "sha256:" HEX64);
	parse("h:1/a:t@sha256:" HEX64, "h:1", "a", "t", "sha256:" HEX64);
	/* a colon or a dot behind the first slash is no registry's */
	parse("library/a.b:5000", NULL, "library/a.b", "5000", NULL);
}

static void test_format_as(void **state)
{
	AUTO_REF struct ref ref = REF_INIT;
	struct err err = ERR_INIT;
	char *text = NULL;

	(void)state;
	assert_int_equal(ref_parse("h.x/a:t", &ref, &err), 0);
	assert_int_equal(ref_format_as(&ref, NULL, "sha256:" HEX64, &text, &err), 0);
	assert_string_equal(text, "h.x/a@sha256:" HEX64);
	free(text);
}

static void test_written_as_reference(void **state)
{
	(void)state;
	assert_true(ref_is_written_as_reference("a/b"));
	assert_true(ref_is_written_as_reference("a:b"));
	assert_true(ref_is_written_as_reference("a@b"));
	assert_false(ref_is_written_as_reference("top"));
	assert_false(ref_is_written_as_reference(""));
}

static void test_url_scheme(void **state)
{
	(void)state;
	assert_true(url_has_scheme("https://x"));
	assert_true(url_has_scheme("svn+ssh://x"));
	assert_false(url_has_scheme("https:/x"));
	assert_false(url_has_scheme("1http://x"));
	assert_false(url_has_scheme("://x"));
	assert_false(url_has_scheme("a/b://x"));
	assert_true(url_is("HTTPS://x", "https"));
	assert_false(url_is("https://x", "http"));
	assert_false(url_is("http:x", "http"));
}

static void assert_shown(const char *url, const char *shown)
{
	char *text = url_without_password(url);

	assert_non_null(text);
	assert_string_equal(text, shown);
	free(text);
}

static void test_url_password(void **state)
{
	(void)state;
	assert_shown("https://h/x", "https://h/x");
	assert_shown("https://u:p@h/x", "https://u:***@h/x");
	assert_shown("https://u:p:q@r@h/x", "https://u:***@h/x");
	assert_shown("https://u@h:80/x", "https://u@h:80/x");
	assert_shown("https://h/a:b@c", "https://h/a:b@c");
	assert_shown("https://h?a:b@c", "https://h?a:b@c");
	assert_shown("https://:@h", "https://:***@h");
	assert_shown("no url: a@b", "no url: a@b");
	assert_shown("", "");
}

static void assert_path(const char *url, const char *path)
{
	char *text = url_file_path(url);

	if (!path) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, path);
	free(text);
}

static void test_url_file(void **state)
{
	(void)state;
	assert_path("file:///a/b", "/a/b");
	assert_path("file://localhost/a", "/a");
	assert_path("file:///a%20b%2Fc%2e", "/a b/c.");
	assert_path("file:///a%zz%4", "/a%zz%4");
	assert_path("file:///%", "/%");
	assert_path("file:///a%00b", NULL);
	assert_path("file://host/a", NULL);
	assert_path("file://", NULL);
	assert_path("file:/a", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_format_as),
		cmocka_unit_test(test_written_as_reference),
		cmocka_unit_test(test_url_scheme),
		cmocka_unit_test(test_url_password),
		cmocka_unit_test(test_url_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
