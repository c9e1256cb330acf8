/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges of servers: image/challenge.c; what is asked of token servers: image/http_token.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "image/challenge.h"
#include "image/http_token.h"
#include "image/http_url.h"

static void test_parsed(void **state)
{
	static const struct {
		const char *text;
		bool basic;
		const char *realm, *service, *scope; /* realm NULL: no Bearer */
	} cases[] = {
		{ "", false, NULL, "", "" },
		{ "Basic", true, NULL, "", "" },
		{ "basic REALM=\"simple\"", true, NULL, "", "" },
		{ "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x/y:pull,push\"",
		  false, "https://a/t", "s", "repository:x/y:pull,push" },
		{ "bearer Service = \"s\" , REALM = \"https://a/t\"", false, "https://a/t", "s",
		  "" },
		/* commas stand between parameters and between challenges */
		{ "Basic realm=\"x, y\", Bearer realm=\"https://a/t\", error=\"invalid_token\"",
		  true, "https://a/t", "", "" },
		{ "Bearer realm=\"https://a/t\",service=\"s\", Basic realm=\"z\"", true,
		  "https://a/t", "s", "" },
		{ "Negotiate, Basic realm=\"z\"", true, NULL, "", "" },
		{ "Negotiate YIIabc/+==, Bearer realm=\"https://a/t\"", false, "https://a/t", "",
		  "" },
		{ ",, Bearer realm=\"https://a/t\",,service=\"s\",", false, "https://a/t", "s",
		  "" },
		/* not quoted, as some registries write it */
		{ "Bearer realm=https://a/t,service=s", false, "https://a/t", "s", "" },
		{ "Bearer realm=\"https://a/\\\"t\\\\\"", false, "https://a/\"t\\", "", "" },
		/* the first of its kind, and of its parameters */
		{ "Bearer realm=\"https://a/\", realm=\"https://b/\", Bearer realm=\"https://c/\"",
		  false, "https://a/", "", "" },
		{ "Bearer service=\"s\", Bearer realm=\"https://c/\"", false, "https://c/", "",
		  "" },
		/* malformed: what is before stays */
		{ "Basic, Bearer realm=\"https://a/t", true, NULL, "", "" },
		{ "Bearer realm=\"https://a/\nb\"", false, NULL, "", "" },
		{ "Bearer \"x\"", false, NULL, "", "" },
		{ "Basic/x, Bearer realm=\"https://a/t\"", false, NULL, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct challenge challenge;

		challenge_parse(cases[i].text, strlen(cases[i].text), &challenge);
		if (challenge.basic != cases[i].basic || challenge.bearer != !!cases[i].realm)
			fail_msg("%s", cases[i].text);
		assert_string_equal(challenge.realm, cases[i].realm ? cases[i].realm : "");
		assert_string_equal(challenge.service, cases[i].service);
		assert_string_equal(challenge.scope, cases[i].scope);
	}
}

static void test_too_long(void **state)
{
	struct challenge challenge;
	char text[CHALLENGE_REALM_MAX + 64] = "Bearer realm=\"https://";
	size_t len = strlen(text);

	(void)state;
	memset(text + len, 'x', CHALLENGE_REALM_MAX);
	text[len + CHALLENGE_REALM_MAX] = '"';
	challenge_parse(text, strlen(text), &challenge);
	assert_false(challenge.bearer);
	/* one that just fits */
	text[13 + CHALLENGE_REALM_MAX] = '"';
	text[14 + CHALLENGE_REALM_MAX] = '\0';
	challenge_parse(text, strlen(text), &challenge);
	assert_true(challenge.bearer);
	assert_int_equal(strlen(challenge.realm), CHALLENGE_REALM_MAX - 1);
}

static const struct http_credentials nobody = { "", "", "", "", "" };

static void test_token_request(void **state)
{
	struct challenge challenge = { .bearer = true, .realm = "https://a/t?x=1" };
	struct http_credentials credentials = nobody;
	AUTO_BUF struct buf form = BUF_INIT;
	struct err err = ERR_INIT;
	char url[FETCH_URL_MAX];

	(void)state;
	assert_int_equal(http_token_request(&challenge, &nobody, url, &form, &err), 0);
	assert_string_equal(url, "https://a/t?x=1");
	/* what the server asks for is added to what is wanted, once */
	strcpy(challenge.scope, "repository:a:pull  repository:b:pull");
	credentials.scope = "repository:a:pull";
	assert_int_equal(http_token_request(&challenge, &credentials, url, &form, &err), 0);
	assert_string_equal(url, "https://a/t?x=1&scope=repository%3Aa%3Apull"
				 "&scope=repository%3Ab%3Apull");
	assert_int_equal(form.len, 0);
}

static void test_token_answers(void **state)
{
	static const struct {
		const char *json;
		int64_t lifetime;
	} cases[] = {
		{ "{\"token\":\"a\"}", 60 },
		{ "{\"token\":\"a\",\"access_token\":\"b\",\"expires_in\":300}", 300 },
		{ "{\"token\":\"\",\"access_token\":\"a\",\"expires_in\":5}", 60 },
		{ "{\"token\":\"a\",\"expires_in\":9223372036854775807}", INT32_MAX },
		{ "{\"token\":\"a b\"}", -1 },
		{ "{\"token\":7}", -1 },
		{ "[]", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_BUF struct buf value = BUF_INIT;
		struct err err = ERR_INIT;
		int64_t lifetime = -1;
		int r = http_token_answer(cases[i].json, strlen(cases[i].json), &value, &lifetime,
					  &err);

		assert_int_equal(lifetime, cases[i].lifetime);
		if (cases[i].lifetime < 0)
			assert_true(r < 0);
		else
			assert_string_equal(value.data, "Bearer a");
	}
}

static void test_urls(void **state)
{
	static const struct {
		const char *url, *origin;
		bool loopback;
	} cases[] = {
		{ "https://Example.COM/a", "https://example.com:443", false },
		{ "http://u:p@127.0.0.1:5000/", "http://127.0.0.1:5000", true },
		{ "http://127.1.2.3/", "http://127.1.2.3:80", true },
		{ "https://[::1]:5000/x", "https://[::1]:5000", true },
		{ "http://localhost./", "http://localhost:80", true },
		{ "http://localhost.example/", "http://localhost.example:80", false },
		{ "http://127.0.0.1.example/", "http://127.0.0.1.example:80", false },
		{ "file:///etc/passwd", "", false },
		{ "https://", "", false },
		{ "127.0.0.1", "", false },
	};
	char out[FETCH_URL_MAX], origin[HTTP_ORIGIN_MAX];
	bool has_port;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(http_url_origin(cases[i].url, origin), cases[i].origin[0] != '\0');
		assert_string_equal(origin, cases[i].origin);
		assert_int_equal(http_url_is_loopback(cases[i].url), cases[i].loopback);
	}
	assert_true(http_url_resolve("https://h:1/v2/a/b?x", "/c?y=1", out, sizeof(out)));
	assert_string_equal(out, "https://h:1/c?y=1");
	assert_true(http_url_resolve("https://h:1/v2/a/b", "c", out, sizeof(out)));
	assert_string_equal(out, "https://h:1/v2/a/c");
	assert_true(http_url_resolve("https://h:1/v2/a", "//other/x", out, sizeof(out)));
	assert_string_equal(out, "https://other/x");
	assert_false(http_url_resolve("https://h:1/v2/a", "/0123456789", out, 8));
	assert_true(http_url_to_plain("https://h/a?b", out, sizeof(out), &has_port));
	assert_string_equal(out, "http://h/a?b");
	assert_false(has_port);
	assert_true(http_url_to_plain("https://h:5000/", out, sizeof(out), &has_port));
	assert_string_equal(out, "http://h:5000/");
	assert_true(has_port);
	assert_true(http_url_encode("a b/\xc3\xa4~", out, sizeof(out)));
	assert_string_equal(out, "a%20b%2F%C3%A4~");
	assert_false(http_url_encode("//", out, 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parsed),	      cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_token_request), cmocka_unit_test(test_token_answers),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
