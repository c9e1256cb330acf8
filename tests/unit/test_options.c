/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: options, their values, suggestions, names of signals. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manager/cmd/options.h"
#include "manager/cmd/suggest.h"
#include "manager/signals.h"

static const struct cmd_option options[] = {
	{ 'i', "interactive", NULL, "" }, { 't', "tty", NULL, "" },
	{ 'e', "env", "KEY=VALUE", "" },  { 0, "name", "NAME", "" },
	{ 0, "read-only", NULL, "" },	  { 0, "no-read-only", NULL, "" },
	{ 0, "no-trunc", NULL, "" },	  { 0, NULL, NULL, NULL },
};
static const struct cmd_absent absent[] = {
	{ "p publish", "there are no ports", "leave it out" },
	{ "gpus", "nobody has any", NULL },
	{ NULL, NULL, NULL },
};
static const struct cmd_absent absent_too[] = {
	{ "link", "nobody else is here", NULL },
	{ NULL, NULL, NULL },
};
static const struct cmd plain = {
	.name = "plain", .options = options, .absent = absent, .absent_too = absent_too
};

static const struct cmd_option hostname_options[] = {
	{ 'h', "hostname", "NAME", "" },
	{ 0, NULL, NULL, NULL },
};
static const struct cmd with_h = { .name = "with-h", .options = hostname_options };
static const struct cmd without_options = { .name = "bare" };

#define MAX_WORDS 16

/*
 * Parse the words of `line` and tell what was found: "name=value name … | operand operand", or
 * the error's text.
 */
static void parse(const struct cmd *cmd, bool interspersed, const char *line, char *out,
		  size_t size)
{
	char copy[256];
	char *words[MAX_WORDS + 1] = { (char *)"cmd" };
	int argc = 1;
	const struct cmd_option *option;
	struct option_parse parse;
	struct err err = ERR_INIT;
	const char *value;
	size_t len = 0;
	int rc;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok(copy, " "); w && argc < MAX_WORDS; w = strtok(NULL, " "))
		words[argc++] = w;
	options_begin(&parse, cmd, argc, words);
	parse.interspersed = interspersed;
	out[0] = '\0';
	while ((rc = options_next(&parse, &option, &value, &err)) > 0)
		len += (size_t)snprintf(out + len, size - len, "%s%s%s ", option->name,
					value ? "=" : "", value ? value : "");
	if (rc < 0) {
		snprintf(out, size, "%s%s%s", options_help_asked(&err) ? "HELP" : err.text,
			 err.hint[0] ? " / " : "", err.hint);
		/* Of what is known to be missing the help says nothing: nobody is sent there. */
		assert_int_equal(err.kind,
				 strstr(out, ": there is no -") ? ERR_UNSUPPORTED : ERR_USAGE);
		return;
	}
	len += (size_t)snprintf(out + len, size - len, "|");
	for (int i = parse.next; i < argc; i++)
		len += (size_t)snprintf(out + len, size - len, " %s", words[i]);
}

static void assert_parse(const struct cmd *cmd, bool interspersed, const char *line,
			 const char *expected)
{
	char got[2048];

	parse(cmd, interspersed, line, got, sizeof(got));
	assert_string_equal(got, expected);
}

static void test_forms(void **state)
{
	(void)state;
	assert_parse(&plain, false, "", "|");
	assert_parse(&plain, false, "-it", "interactive tty |");
	assert_parse(&plain, false, "-i -t a b", "interactive tty | a b");
	assert_parse(&plain, false, "-eA=1", "env=A=1 |");
	assert_parse(&plain, false, "-e A=1 x", "env=A=1 | x");
	assert_parse(&plain, false, "-iteA=1 x", "interactive tty env=A=1 | x");
	assert_parse(&plain, false, "-ite A=1 x", "interactive tty env=A=1 | x");
	assert_parse(&plain, false, "--name bird x", "name=bird | x");
	assert_parse(&plain, false, "--name=bird x", "name=bird | x");
	assert_parse(&plain, false, "--name= x", "name= | x");
	assert_parse(&plain, false, "--env A=B=C", "env=A=B=C |");
	assert_parse(&plain, false, "--name --tty", "name=--tty |");
	assert_parse(&plain, false, "--name -- x", "name=-- | x");
}

static void test_flags_with_values(void **state)
{
	(void)state;
	assert_parse(&plain, false, "--tty=true -i=1 x", "tty interactive | x");
	assert_parse(&plain, false, "--tty=false -i=0 x", "| x");
	assert_parse(&plain, false, "-it=false x", "interactive | x");
	assert_parse(&plain, true, "a -t=false b --tty c", "tty | a b c");
	assert_parse(&plain, false, "--no-trunc=false x", "| x");
	/* One that has a contrary is that. */
	assert_parse(&plain, false, "--read-only=false x", "no-read-only | x");
	assert_parse(&plain, false, "--no-read-only=false x", "read-only | x");
	/* None is taken back without a word. */
	assert_parse(&plain, false, "-t --tty=false",
		     "--tty=false contradicts the --tty before it");
	assert_parse(&plain, false, "--no-trunc -t=0 --no-trunc=0",
		     "--no-trunc=0 contradicts the --no-trunc before it");
}

static void test_options_end(void **state)
{
	(void)state;
	/* What follows the first operand belongs to the payload. */
	assert_parse(&plain, false, "-i image ls -l --tty", "interactive | image ls -l --tty");
	assert_parse(&plain, false, "-- -i", "| -i");
	assert_parse(&plain, false, "-i -- -t -- x", "interactive | -t -- x");
	/* A dash alone is an operand, as everywhere. */
	assert_parse(&plain, false, "- -i", "| - -i");
}

static void test_interspersed(void **state)
{
	(void)state;
	assert_parse(&plain, true, "a -i b -t c", "interactive tty | a b c");
	assert_parse(&plain, true, "a b --name n c", "name=n | a b c");
	assert_parse(&plain, true, "a b -ite V c -i d",
		     "interactive tty env=V interactive | a b c d");
	assert_parse(&plain, true, "a -i -- -t b", "interactive | a -t b");
	assert_parse(&plain, true, "a b c", "| a b c");
	assert_parse(&plain, true, "a - -t", "tty | a -");
	assert_parse(&plain, true, "a b --name", "--name needs a value: NAME");
}

static void test_errors(void **state)
{
	(void)state;
	assert_parse(&plain, false, "--nmae x", "unknown option: --nmae / did you mean --name?");
	assert_parse(&plain, false, "--read", "unknown option: --read / did you mean --read-only?");
	assert_parse(&plain, false, "--quux=1", "unknown option: --quux");
	assert_parse(&plain, false, "-x", "unknown option: -x");
	assert_parse(&plain, false, "-ix", "unknown option: -x");
	assert_parse(&plain, false, "-i\xc3\xa4", "unknown option: -\xc3\xa4");
	assert_parse(&plain, false, "--tty=x", "--tty: not true or false: x");
	assert_parse(&plain, false, "-it=x", "--tty: not true or false: x");
	assert_parse(&plain, false, "--name", "--name needs a value: NAME");
	assert_parse(&plain, false, "-e", "-e needs a value: KEY=VALUE");
	assert_parse(&plain, false, "--publish=80 x",
		     "plain: there is no --publish: there are no ports / leave it out");
	assert_parse(&plain, false, "-ip 80 x",
		     "plain: there is no -p: there are no ports / leave it out");
	assert_parse(&plain, false, "--gpus all", "plain: there is no --gpus: nobody has any");
	assert_parse(&plain, false, "--link x", "plain: there is no --link: nobody else is here");
	assert_parse(&plain, false, "--gpu all", "unknown option: --gpu");
	assert_parse(&without_options, false, "-x", "unknown option: -x");
	assert_parse(&without_options, false, "--hlep",
		     "unknown option: --hlep / did you mean --help?");
}

static void test_help(void **state)
{
	(void)state;
	assert_parse(&plain, false, "--help", "HELP");
	assert_parse(&plain, false, "-h", "HELP");
	assert_parse(&plain, false, "-ih", "HELP");
	assert_parse(&plain, true, "a -h", "HELP");
	assert_parse(&plain, false, "a -h", "| a -h");
	assert_parse(&plain, false, "--help=x", "--help takes no value: x");
	assert_parse(&with_h, false, "-h bird", "hostname=bird |");
	assert_parse(&with_h, false, "--help", "HELP");
	assert_parse(&without_options, false, "-h", "HELP");
}

static void test_operands(void **state)
{
	char *words[] = { (char *)"plain", (char *)"a", (char *)"b", NULL };
	struct option_parse parse;
	struct err err = ERR_INIT;

	(void)state;
	options_begin(&parse, &plain, 3, words);
	assert_int_equal(options_operands(&parse, 0, -1, &err), 0);
	assert_int_equal(options_operands(&parse, 2, 2, &err), 0);
	assert_int_equal(options_operands(&parse, 0, 1, &err), -EINVAL);
	assert_string_equal(err.text, "plain: one operand too many: b");
	assert_int_equal(options_operands(&parse, 3, -1, &err), -EINVAL);
	assert_string_equal(err.text, "plain: too few operands");
}

static const struct cmd_option x = { 0, "x", "X", "" };

static void assert_size(const char *value, int64_t expected)
{
	struct err err = ERR_INIT;
	int64_t got = -7;

	if (expected < 0) {
		assert_int_equal(option_size(&x, value, &got, &err), -EINVAL);
		assert_int_equal(got, -7);
	} else {
		assert_int_equal(option_size(&x, value, &got, &err), 0);
		assert_int_equal(got, expected);
	}
}

static void test_size(void **state)
{
	(void)state;
	assert_size("0", 0);
	assert_size("512", 512);
	assert_size("512b", 512);
	assert_size("64k", 65536);
	assert_size("64K", 65536);
	assert_size("64kb", 65536);
	assert_size("64KiB", 65536);
	assert_size("100m", 104857600);
	assert_size("2g", INT64_C(2) << 30);
	assert_size("1.5g", INT64_C(3) << 29);
	assert_size(".5k", 512);
	assert_size("1t", INT64_C(1) << 40);
	assert_size("8191p", INT64_C(8191) << 50);
	assert_size("9223372036854775807", INT64_MAX);
	assert_size("9223372036854775808", -1);
	assert_size("8192p", -1);
	assert_size("18446744073709551616", -1);
	assert_size("99999999999999999999g", -1);
	assert_size("", -1);
	assert_size("k", -1);
	assert_size(".", -1);
	assert_size("-1", -1);
	assert_size("12q", -1);
	assert_size("12kx", -1);
	assert_size("12bb", -1);
	assert_size("12 k", -1);
	assert_size("0x10", -1);
	assert_size("1e3", -1);
}

static void assert_duration(const char *value, int64_t expected)
{
	struct err err = ERR_INIT;
	int64_t got = -7;

	if (expected < 0) {
		assert_int_equal(option_duration(&x, value, &got, &err), -EINVAL);
		assert_int_equal(got, -7);
	} else {
		assert_int_equal(option_duration(&x, value, &got, &err), 0);
		assert_int_equal(got, expected);
	}
}

#define SECOND INT64_C(1000000000)

static void test_duration(void **state)
{
	(void)state;
	assert_duration("0", 0);
	assert_duration("10", 10 * SECOND);
	assert_duration("0.25", SECOND / 4);
	assert_duration("90s", 90 * SECOND);
	assert_duration("1h30m", 5400 * SECOND);
	assert_duration("1.5h", 5400 * SECOND);
	assert_duration("500ms", SECOND / 2);
	assert_duration("0h5s", 5 * SECOND);
	assert_duration("3us2ns", 3002);
	assert_duration("3\xc2\xb5s", 3000);
	assert_duration("", -1);
	assert_duration("-1", -1);
	assert_duration("s", -1);
	assert_duration("1h30", -1);
	assert_duration("0s5", -1);
	assert_duration("1d", -1);
	assert_duration("yesterday", -1);
	assert_duration("9223372037", -1);
	assert_duration("9999999999999h", -1);
}

static void test_int(void **state)
{
	struct err err = ERR_INIT;
	int64_t got = -7;

	(void)state;
	assert_int_equal(option_int(&x, "12", 1, 20, &got, &err), 0);
	assert_int_equal(got, 12);
	assert_int_equal(option_int(&x, "-1", -1, 20, &got, &err), 0);
	assert_int_equal(got, -1);
	got = -7;
	assert_int_equal(option_int(&x, "21", 1, 20, &got, &err), -EINVAL);
	assert_string_equal(err.text, "--x: not a number from 1 to 20: 21");
	assert_int_equal(option_int(&x, "0", 1, INT64_MAX, &got, &err), -EINVAL);
	assert_string_equal(err.text, "--x: not a number from 1 up: 0");
	assert_int_equal(option_int(&x, "99999999999999999999", 1, INT64_MAX, &got, &err), -EINVAL);
	assert_int_equal(option_int(&x, "", 1, 20, &got, &err), -EINVAL);
	assert_string_equal(err.text, "--x: not a number: ");
	assert_int_equal(option_int(&x, " 1", 1, 20, &got, &err), -EINVAL);
	assert_int_equal(option_int(&x, "1x", 1, 20, &got, &err), -EINVAL);
	assert_int_equal(option_int(&x, "--1", -5, 20, &got, &err), -EINVAL);
	assert_int_equal(got, -7);
}

static void test_signals(void **state)
{
	char name[SIGNAL_NAME_MAX];
	struct err err = ERR_INIT;
	int got = -7;

	(void)state;
	assert_int_equal(signal_from_name("TERM"), SIGTERM);
	assert_int_equal(signal_from_name("SIGTERM"), SIGTERM);
	assert_int_equal(signal_from_name("sigterm"), SIGTERM);
	assert_int_equal(signal_from_name("15"), 15);
	assert_int_equal(signal_from_name("64"), 64);
	assert_int_equal(signal_from_name("RTMIN"), 34);
	assert_int_equal(signal_from_name("SIGRTMIN+3"), 37);
	assert_int_equal(signal_from_name("RTMAX-1"), 63);
	assert_int_equal(signal_from_name("RTMAX"), 64);
	assert_int_equal(signal_from_name("CLD"), SIGCHLD);
	assert_int_equal(signal_from_name("0"), -EINVAL);
	assert_int_equal(signal_from_name("65"), -EINVAL);
	assert_int_equal(signal_from_name(""), -EINVAL);
	assert_int_equal(signal_from_name("SIG"), -EINVAL);
	assert_int_equal(signal_from_name("SIG9"), -EINVAL);
	assert_int_equal(signal_from_name("9 "), -EINVAL);
	assert_int_equal(signal_from_name("-9"), -EINVAL);
	assert_int_equal(signal_from_name("RTMIN+31"), -EINVAL);
	assert_int_equal(signal_from_name("RTMIN-1"), -EINVAL);
	assert_int_equal(signal_from_name("RTMIN+"), -EINVAL);
	assert_int_equal(signal_from_name("RTMINX"), -EINVAL);
	for (int signal = 1; signal <= SIGNAL_MAX; signal++)
		if (signal != 32 && signal != 33) /* the C library's own: numbers only */
			assert_int_equal(signal_from_name(signal_name(signal, name)), signal);
	assert_string_equal(signal_name(32, name), "32");
	assert_string_equal(signal_name(SIGABRT, name), "SIGABRT");
	assert_int_equal(option_signal(&x, "NOSUCH", &got, &err), -EINVAL);
	assert_string_equal(err.text, "--x: not a signal: NOSUCH");
	assert_true(err.hint[0] != '\0');
	assert_int_equal(got, -7);
}

static const char *suggested(const char *word)
{
	static const char *const known[] = { "run", "exec", "ps",     "logs",
					     "rm",  "rmi",  "images", "inspect" };
	struct suggest suggest;

	suggest_begin(&suggest, word, strlen(word));
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		suggest_offer(&suggest, known[i]);
	return suggest_best(&suggest);
}

static void test_suggestions(void **state)
{
	char longest[4096];

	(void)state;
	assert_string_equal(suggested("rnu"), "run");
	assert_string_equal(suggested("image"), "images");
	assert_string_equal(suggested("insp"), "inspect");
	assert_string_equal(suggested("exce"), "exec");
	assert_string_equal(suggested("log"), "logs");
	assert_string_equal(suggested("isnpcet"), "inspect");
	assert_null(suggested("frobnicate"));
	assert_null(suggested("xyz"));
	assert_null(suggested(""));
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_null(suggested(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),	    cmocka_unit_test(test_flags_with_values),
		cmocka_unit_test(test_options_end), cmocka_unit_test(test_interspersed),
		cmocka_unit_test(test_errors),	    cmocka_unit_test(test_help),
		cmocka_unit_test(test_operands),    cmocka_unit_test(test_size),
		cmocka_unit_test(test_duration),    cmocka_unit_test(test_int),
		cmocka_unit_test(test_signals),	    cmocka_unit_test(test_suggestions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
