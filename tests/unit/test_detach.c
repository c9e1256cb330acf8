/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/detach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * Feed `typed`, in pieces of `piece` bytes; what passes must be `want`. Returns whether it
 * detached.
 */
static bool check(const char *sequence, const char *typed, size_t piece, const char *want)
{
	struct detach_keys keys;
	struct err err = ERR_INIT;
	char passed[256] = "";
	size_t n = 0;
	size_t len = strlen(typed);
	bool detached = false;

	assert_int_equal(detach_keys_parse(sequence, &keys, &err), 0);
	for (size_t at = 0; at < len && !detached; at += piece) {
		size_t now = len - at < piece ? len - at : piece;
		size_t out = 0;

		detached = detach_keys_feed(&keys, typed + at, now, passed + n, &out);
		assert_true(out <= now + DETACH_KEYS_MAX);
		n += out;
	}
	passed[n] = '\0';
	assert_string_equal(passed, want);
	return detached;
}

static void the_sequence_is_found(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 8; piece++) {
		assert_true(check(DETACH_KEYS_DEFAULT, "ab\x10\x11", piece, "ab"));
		assert_false(check(DETACH_KEYS_DEFAULT, "a\x10z\x11", piece, "a\x10z\x11"));
		assert_true(check(DETACH_KEYS_DEFAULT, "\x10\x10\x11", piece, "\x10"));
		/* Held back until the next key shows what it was. */
		assert_false(check(DETACH_KEYS_DEFAULT, "a\x10", piece, "a"));
		assert_true(check("a,a,b", "aaab", piece, "a"));
		assert_true(check("a,b,a,c", "ababac", piece, "ab"));
		assert_false(check("a,b,a,c", "abab", piece, "ab"));
		assert_false(check("", "\x10\x11", piece, "\x10\x11"));
		assert_true(check("ctrl-@", "x", piece, "x") == false);
	}
}

static void sequences_are_parsed(void **state)
{
	static const char *const bad[] = {
		"ctrl-", "ctrl-A", "ctrl-pp", "ab", "a,,b", ",a", "a,b,c,d,e,f,g,h,i",
	};
	struct detach_keys keys = { .len = 77 };
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(detach_keys_parse(bad[i], &keys, &err) < 0);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_int_equal(keys.len, 77);
	}
	assert_int_equal(detach_keys_parse("ctrl-[,ctrl-_,x", &keys, &err), 0);
	assert_int_equal(keys.len, 3);
	assert_int_equal(keys.keys[0], 0x1b);
	assert_int_equal(keys.keys[1], 0x1f);
	assert_int_equal(keys.keys[2], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sequence_is_found),
		cmocka_unit_test(sequences_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
