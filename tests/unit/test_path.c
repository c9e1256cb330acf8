/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void paths_have_one_form(void **state)
{
	static const struct {
		const char *given, *normal;
	} cases[] = {
		{ "/", "/" },
		{ "///", "/" },
		{ "/a", "/a" },
		{ "/a/", "/a" },
		{ "//a///b//", "/a/b" },
		{ "/./proc", "/proc" },
		{ "/proc/.", "/proc" },
		{ "/.", "/" },
		{ "/..", "/" },
		{ "/../../a", "/a" },
		{ "/a/..", "/" },
		{ "/a/b/../c", "/a/c" },
		{ "/a/b/../../../c/", "/c" },
		{ "/proc/../dev", "/dev" },
		{ "/...", "/..." },
		{ "/.a/..b/c./d..", "/.a/..b/c./d.." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[64];

		strcpy(path, cases[i].given);
		path_normalise(path);
		assert_string_equal(path, cases[i].normal);
		path_normalise(path);
		assert_string_equal(path, cases[i].normal);
	}
}

static void whole_names_count(void **state)
{
	(void)state;
	assert_true(path_is_within("/dev", "/dev"));
	assert_true(path_is_within("/dev/shm", "/dev"));
	assert_false(path_is_within("/devel/src", "/dev"));
	assert_false(path_is_within("/de", "/dev"));
	assert_false(path_is_within("/", "/dev"));
	assert_false(path_is_within("/srv/dev", "/dev"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_have_one_form),
		cmocka_unit_test(whole_names_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
