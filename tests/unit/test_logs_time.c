/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/logs_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "manager/cmd/logs_print.h"

#define S INT64_C(1000000000)

static const struct cmd_option since = { 0, "since", "TIME", "" };

static void times_that_are_understood(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "2026-01-31T12:00:00Z", 1769860800 * S },
		{ "2026-01-31T12:00:00.5Z", 1769860800 * S + S / 2 },
		{ "2026-01-31T12:00:00.123456789123Z", 1769860800 * S + 123456789 },
		{ "2026-01-31T14:00:00+02:00", 1769860800 * S },
		{ "2026-01-31T06:30:00-05:30", 1769860800 * S },
		{ "2026-01-31 12:00Z", 1769860800 * S },
		{ "2024-02-29T00:00:00Z", 1709164800 * S },
		{ "1969-12-31T23:59:59Z", -1 * S },
		{ "1769860800", 1769860800 * S },
		{ "1769860800.25", 1769860800 * S + S / 4 },
		{ "0", 0 },
		{ "10m", (1000000 - 600) * S },
		{ "1h30m", (1000000 - 5400) * S },
		{ "500ms", 1000000 * S - S / 2 },
		{ "now", 1000000 * S },
		{ "10m ago", (1000000 - 600) * S },
		{ "-10m", (1000000 - 600) * S },
		{ "+10m", (1000000 + 600) * S },
		{ "2d", (1000000 - 2 * 86400) * S },
		{ "1w1d1h30m", (1000000 - 8 * 86400 - 5400) * S },
		/* 1970-01-12T16:46:40+03:00 */
		{ "today", 939600 * S },
		{ "yesterday", 853200 * S },
		/* The zone of the machine is set to UTC+3 below. */
		{ "2026-01-31T15:00:00", 1769860800 * S },
		{ "2026-01-31T15:00", 1769860800 * S },
		{ "2026-01-31", 1769806800 * S },
	};

	(void)state;
	setenv("TZ", "XYZ-3", 1);
	tzset();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		int64_t ns = -12345;

		if (logs_time_parse(&since, cases[i].text, 1000000 * S, &ns, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		if (ns != cases[i].ns)
			fail_msg("%s: %lld", cases[i].text, (long long)ns);
	}
}

static void times_that_are_none(void **state)
{
	static const char *const cases[] = {
		"",
		"tomorrow",
		"d",
		"2d5",
		"1d2w",
		"-",
		"10m  ago",
		" ago",
		"+now",
		"-10m ago",
		"2026",
		"2026-13-01",
		"2026-02-30T00:00:00Z",
		"2026-01-31T24:00:00Z",
		"2026-01-31T12:60:00Z",
		"2026-01-31T12:00:00+2",
		"2026-01-31T12:00:00Zx",
		"2026-01-31T12",
		"5 m",
		"99999999999999999999",
		"1.",
		"10m5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		int64_t ns = 42;

		/* A bare number is seconds since the epoch, and so is this one. */
		if (i == 10) {
			assert_int_equal(logs_time_parse(&since, cases[i], 0, &ns, &err), 0);
			assert_int_equal(ns, 2026 * S);
			continue;
		}
		if (logs_time_parse(&since, cases[i], 0, &ns, &err) == 0)
			fail_msg("%s was taken for %lld", cases[i], (long long)ns);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_int_equal(ns, 42);
	}
}

static void times_are_printed_in_full(void **state)
{
	char text[LOGS_TIME_MAX];

	(void)state;
	logs_time_print(1769860800 * S + 5, text);
	assert_string_equal(text, "2026-01-31T12:00:00.000000005Z");
	logs_time_print(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000000000Z");
}

static void check_safe(const char *in, size_t len, const char *want, bool coloured)
{
	struct buf buf = BUF_INIT;
	bool colour = false;

	logs_print_safe(&buf, in, len, &colour);
	assert_string_equal(buf.data ? buf.data : "", want);
	assert_int_equal(colour, coloured);
	buf_release(&buf);
}

static void a_terminal_gets_text_and_colours_only(void **state)
{
	(void)state;
#define CHECK(in, want, coloured) check_safe(in, sizeof(in) - 1, want, coloured)
	CHECK("plain", "plain", false);
	CHECK("", "", false);
	CHECK("a\tb\r", "a\tb\r", false);
	CHECK("a\rb", "a\\x0db", false);
	CHECK("\x1b[1;31mred\x1b[m", "\x1b[1;31mred\x1b[m", true);
	CHECK("\x1b[38:2:1:2:3mx", "\x1b[38:2:1:2:3mx", true);
	CHECK("\x1b[2Jx", "\\x1b[2Jx", false);
	CHECK("\x1b]0;title\x07", "\\x1b]0;title\\x07", false);
	CHECK("\x1b[31", "\\x1b[31", false);
	CHECK("\x1b", "\\x1b", false);
	CHECK("a\0b", "a\\x00b", false);
	CHECK("\xc3\xa4\xff", "\xc3\xa4\\xff", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_that_are_understood),
		cmocka_unit_test(times_that_are_none),
		cmocka_unit_test(times_are_printed_in_full),
		cmocka_unit_test(a_terminal_gets_text_and_colours_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
