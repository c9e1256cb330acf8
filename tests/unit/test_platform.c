/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms, and which image does for which: image/platform.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/platform.h"

static void test_spellings(void **state)
{
	static const char *const cases[][2] = {
		{ "linux/amd64", "linux/amd64" },
		{ "amd64", "linux/amd64" },
		{ "x86_64", "linux/amd64" },
		{ "linux/amd64/v1", "linux/amd64" },
		{ "linux/amd64/v3", "linux/amd64/v3" },
		{ "linux/amd64/2", "linux/amd64/v2" },
		{ "aarch64", "linux/arm64" },
		{ "linux/arm64/v8", "linux/arm64" },
		{ "linux/arm64/v9.2", "linux/arm64/v9.2" },
		{ "arm", "linux/arm/v7" },
		{ "linux/arm/6", "linux/arm/v6" },
		{ "armhf", "linux/arm/v7" },
		{ "armel", "linux/arm/v6" },
		{ "Linux/i686", "linux/386" },
		{ "linux/riscv64", "linux/riscv64" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct platform platform;
		struct err err = ERR_INIT;
		char text[PLATFORM_TEXT_MAX];

		assert_int_equal(platform_parse(cases[i][0], &platform, &err), 0);
		assert_string_equal(platform_format(&platform, text), cases[i][1]);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"linux/",
		"linux//v7",
		"linux/arm/v7/x",
		"amd46",
		"linux/a b",
		"linux/\xc3\xa4",
		"linux/averyverylongnameofanarchitecture",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct platform platform = { .os = "untouched" };
		struct err err = ERR_INIT;

		assert_int_equal(platform_parse(cases[i], &platform, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_string_equal(err.hint,
				    "a platform is os/architecture[/variant], as in linux/arm64");
		assert_string_equal(platform.os, "untouched");
	}
}

static void test_other_systems(void **state)
{
	struct platform platform;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(platform_parse("windows/amd64", &platform, &err), -ENOTSUP);
	assert_string_equal(err.text, "not a platform of Linux: windows/amd64");
}

static struct platform platform(const char *text)
{
	struct platform result;
	struct err err = ERR_INIT;

	assert_int_equal(platform_parse(text, &result, &err), 0);
	return result;
}

static int distance(const char *want, const char *have)
{
	struct platform a = platform(want), b = platform(have);

	return platform_distance(&a, &b);
}

/* From the best to the worst. */
static void assert_order(const char *want, const char *const *have)
{
	for (int last = -1; *have; have++) {
		int now = distance(want, *have);

		assert_true(now > last);
		last = now;
	}
}

static void test_order(void **state)
{
	(void)state;
	assert_order("linux/arm/v7",
		     (const char *const[]){ "linux/arm/v7", "linux/arm/v6", "linux/arm/v5", NULL });
	assert_order("linux/amd64/v4",
		     (const char *const[]){ "linux/amd64/v4", "linux/amd64/v3", "linux/amd64/v2",
					    "linux/amd64", "linux/386", NULL });
	assert_order("linux/arm64", (const char *const[]){ "linux/arm64/v8", "linux/arm/v8",
							   "linux/arm/v7", "linux/arm/v6", NULL });
	assert_order("linux/arm64/v9.1",
		     (const char *const[]){ "linux/arm64/v9.1", "linux/arm64/v9",
					    "linux/arm64/v8.6", "linux/arm64/v8.1", "linux/arm64",
					    "linux/arm", NULL });
}

static void test_never(void **state)
{
	static const char *const cases[][2] = {
		{ "linux/amd64", "linux/amd64/v2" },	  { "linux/amd64/v2", "linux/amd64/v3" },
		{ "linux/arm/v6", "linux/arm/v7" },	  { "linux/arm", "linux/arm64" },
		{ "linux/386", "linux/amd64" },		  { "linux/arm64", "linux/arm64/v8.1" },
		{ "linux/arm64/v9", "linux/arm64/v8.6" }, { "linux/arm64", "linux/amd64" },
		{ "linux/riscv64", "linux/s390x" },	  { "linux/amd64/v2", "linux/amd64/vx" },
	};
	struct platform want = platform("linux/amd64"), have = { .os = "unknown" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(distance(cases[i][0], cases[i][1]), -1);
	/* An attestation; one that tells nothing; another system. */
	assert_true(platform_set(&have, "unknown", "unknown", NULL));
	assert_int_equal(platform_distance(&want, &have), -1);
	assert_int_equal(platform_distance(&have, &have), 0);
	assert_true(platform_set(&have, NULL, NULL, NULL));
	assert_int_equal(platform_distance(&want, &have), -1);
	assert_int_equal(platform_distance(&have, &have), -1);
	assert_true(platform_set(&have, "windows", "amd64", NULL));
	assert_int_equal(platform_distance(&want, &have), -1);
}

static void test_host(void **state)
{
	struct platform host, plain;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(platform_host(&host, &err), 0);
	assert_string_equal(host.os, "linux");
	plain = host;
	memset(plain.variant, 0, sizeof(plain.variant));
	if (strcmp(host.architecture, "arm") != 0)
		assert_true(platform_distance(&host, &plain) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spellings),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_systems), cmocka_unit_test(test_order),
		cmocka_unit_test(test_never),	      cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
