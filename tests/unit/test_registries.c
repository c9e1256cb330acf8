/* SPDX-License-Identifier: Apache-2.0 */
/* cman-registries(5): image/registries.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/registries.h"

static void add(struct registries *registries, const char *text)
{
	struct err err = ERR_INIT;

	assert_int_equal(registries_add(registries, "t", text, strlen(text), &err), 0);
}

static void qualify(const struct registries *registries, const char *word, const char *expected)
{
	AUTO_REF struct ref ref = REF_INIT, full = REF_INIT;
	struct err err = ERR_INIT;
	char *text = NULL;

	assert_int_equal(ref_parse(word, &ref, &err), 0);
	assert_int_equal(registries_qualify(registries, &ref, &full, &err), 0);
	assert_int_equal(ref_format(&full, &text, &err), 0);
	assert_string_equal(text, expected);
	free(text);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_qualify(void **state)
{
	AUTO_REGISTRIES struct registries registries = REGISTRIES_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(registries_load("/dev/null/..", &registries, &err), -ENOTDIR);
	add(&registries,
	    "{\"default\": \"docker.io\", \"short-names\":"
	    " {\"fedora\": \"registry.fedoraproject.org/fedora\", \"a/b\": \"h:1/c\"}}");
	qualify(&registries, "nginx", "docker.io/library/nginx:latest");
	qualify(&registries, "nginx:1.27", "docker.io/library/nginx:1.27");
	qualify(&registries, "user/app", "docker.io/user/app:latest");
	qualify(&registries, "docker.io/nginx", "docker.io/library/nginx:latest");
	qualify(&registries, "index.docker.io/nginx:1", "docker.io/library/nginx:1");
	qualify(&registries, "docker.io/a/b", "docker.io/a/b:latest");
	qualify(&registries, "quay.io/nginx", "quay.io/nginx:latest");
	qualify(&registries, "localhost:5000/x:y", "localhost:5000/x:y");
	qualify(&registries, "fedora:41", "registry.fedoraproject.org/fedora:41");
	qualify(&registries, "a/b", "h:1/c:latest");
	qualify(&registries, "x@sha256:" HEX64, "docker.io/library/x@sha256:" HEX64);
	qualify(&registries, "x:t@sha256:" HEX64, "docker.io/library/x:t@sha256:" HEX64);
}

static void test_other_default(void **state)
{
	AUTO_REGISTRIES struct registries registries = REGISTRIES_INIT, none = REGISTRIES_INIT;
	AUTO_REF struct ref ref = REF_INIT, full = REF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	add(&registries, "{\"default\": \"quay.io/team\"}");
	add(&registries, "{\"default\": \"docker.io\"}");
	qualify(&registries, "app", "quay.io/team/app:latest");
	add(&none, "{\"default\": \"\"}");
	assert_int_equal(ref_parse("app", &ref, &err), 0);
	assert_int_equal(registries_qualify(&none, &ref, &full, &err), -EINVAL);
	assert_string_equal(err.text, "app: no registry is named, and there is no default one");
}

/* "host/repository" and what is known of it, in the order in which they are asked. */
static void places(const struct registries *registries, const char *word, const char *expected)
{
	AUTO_REGISTRY_PLACES struct registry_places got = REGISTRY_PLACES_INIT;
	AUTO_REF struct ref ref = REF_INIT;
	struct err err = ERR_INIT;
	char text[512] = "";

	assert_int_equal(ref_parse(word, &ref, &err), 0);
	assert_int_equal(registries_places(registries, &ref, &got, &err), 0);
	for (size_t i = 0; i < got.count; i++) {
		const struct registry_place *place = &got.places[i];
		size_t len = strlen(text);

		assert_int_equal(place->mirror, i + 1 < got.count);
		snprintf(text + len, sizeof(text) - len, "%s%s/%s%s%s", i ? " " : "", place->host,
			 place->repository, place->insecure ? "!" : "", place->loopback ? "~" : "");
	}
	assert_string_equal(text, expected);
}

static void test_places(void **state)
{
	AUTO_REGISTRIES struct registries registries = REGISTRIES_INIT;

	(void)state;
	add(&registries,
	    "{\"registries\": {\"docker.io\": {\"mirrors\": [\"m.x:5000/hub\", \"n.x\"]},"
	    " \"docker.io/library/own\": {\"insecure\": true},"
	    " \"m.x:5000\": {\"insecure\": true, \"mirrors\": [\"never.x\"]},"
	    " \"q.x/team\": {\"mirrors\": [\"m.x:5000/t\"]}}}");
	places(&registries, "docker.io/library/nginx:1",
	       "m.x:5000/hub/library/nginx! n.x/library/nginx registry-1.docker.io/library/nginx");
	/* the longest alone applies */
	places(&registries, "docker.io/library/own", "registry-1.docker.io/library/own!");
	places(&registries, "docker.io/library/own2",
	       "m.x:5000/hub/library/own2! n.x/library/own2 registry-1.docker.io/library/own2");
	places(&registries, "q.x/team/app", "m.x:5000/t/app! q.x/team/app");
	places(&registries, "q.x/team2/app", "q.x/team2/app");
	places(&registries, "localhost:5000/a/b", "localhost:5000/a/b~");
}

static void test_loopback(void **state)
{
	(void)state;
	assert_true(registry_is_loopback("localhost"));
	assert_true(registry_is_loopback("LOCALHOST:80"));
	assert_true(registry_is_loopback("127.0.0.1:5000"));
	assert_true(registry_is_loopback("127.255.255.254"));
	assert_true(registry_is_loopback("[::1]:5000"));
	assert_true(registry_is_loopback("[::1]"));
	assert_false(registry_is_loopback("128.0.0.1"));
	assert_false(registry_is_loopback("127.0.0.1.example.org"));
	assert_false(registry_is_loopback("127.1"));
	assert_false(registry_is_loopback("localhost.example.org"));
	assert_false(registry_is_loopback("[::2]"));
	assert_false(registry_is_loopback("[::1"));
	assert_false(registry_is_loopback("127.example.org:5000"));
}

static void test_malformed(void **state)
{
	static const char *const cases[][2] = {
		{ "[]", "t: is not a JSON object" },
		{ "{\"defaults\": \"x\"}", "t: unknown member \"defaults\"" },
		{ "{\"default\": 1}", "t: \"default\" is not a string" },
		{ "{\"default\": \"quay\"}", "t: default: \"quay\" is no registry: "
					     "HOST[:PORT][/PATH], a HOST with a dot or "
					     "\"localhost\"" },
		{ "{\"short-names\": {\"a\": \"b\"}}",
		  "t: short-names.a: \"b\" is no name with a registry and without a tag" },
		{ "{\"short-names\": {\"a\": \"h.x/b:c\"}}",
		  "t: short-names.a: \"h.x/b:c\" is no name with a registry and without a tag" },
		{ "{\"short-names\": {\"h.x/a\": \"h.x/b\"}}",
		  "t: short-names.h.x/a: \"h.x/a\" is no name without a registry" },
		{ "{\"short-names\": {\"a\": 1}}", "t: short-names.a: is not a string" },
		{ "{\"registries\": {\"h.x\": 1}}", "t: registries.h.x: is not an object" },
		{ "{\"registries\": {\"h.x\": {\"insecure\": 1}}}",
		  "t: registries.h.x: \"insecure\" is not true or false" },
		{ "{\"registries\": {\"h.x\": {\"mirror\": []}}}",
		  "t: registries.h.x: unknown member \"mirror\"" },
		{ "{\"registries\": {\"h.x\": {\"mirrors\": [1]}}}",
		  "t: registries.h.x: mirrors: is not a list of strings" },
		{ "{\"registries\": {\"h.x\": {\"mirrors\": [\"https://m.x\"]}}}",
		  "t: registries.h.x: \"https://m.x\" is no registry: HOST[:PORT][/PATH], a HOST "
		  "with a dot or \"localhost\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_REGISTRIES struct registries registries = REGISTRIES_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(
			registries_add(&registries, "t", cases[i][0], strlen(cases[i][0]), &err),
			-EINVAL);
		assert_string_equal(err.text, cases[i][1]);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_null(registries.short_names);
		assert_null(registries.registries);
	}
}

/* What is built in is whole, and CMAN_REGISTRIES comes before it. */
static void test_builtin(void **state)
{
	AUTO_REGISTRIES struct registries registries = REGISTRIES_INIT;
	char file[] = "/tmp/cman-test-registries.XXXXXX";
	const char *text = "{\"short-names\": {\"fedora\": \"own.x/fedora\"}}";
	struct err err = ERR_INIT;
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	assert_int_equal(registries_load(file, &registries, &err), 0);
	qualify(&registries, "fedora", "own.x/fedora:latest");
	qualify(&registries, "centos:stream9", "quay.io/centos/centos:stream9");
	qualify(&registries, "nginx", "docker.io/library/nginx:latest");
	unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qualify),	  cmocka_unit_test(test_other_default),
		cmocka_unit_test(test_places),	  cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_builtin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
