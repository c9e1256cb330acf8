/* SPDX-License-Identifier: Apache-2.0 */
#include "init/options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/text.h"

enum { WORD_SIZE = 16 }; /* longest word: SIGRTMIN+30 */

static const char version[] = "ctinit " CMAN_VERSION "\n";

static const char license[] = "ctinit is free software under the Apache License, version 2.0:\n"
			      "http://www.apache.org/licenses/LICENSE-2.0\n"
			      "It contains parts of musl libc, which is under the MIT license.\n";

static const char help[] =
	"Usage: ctinit [OPTIONS] [--] PROGRAM [ARGUMENT]...\n"
	"\n"
	"Runs PROGRAM as the first process of a container would have to: passes\n"
	"signals on to it, reaps orphans, and ends with its exit status.\n"
	"\n"
	"  -s, --subreaper          reap orphans without being PID 1\n"
	"  -g, --group              pass signals to PROGRAM's process group\n"
	"  -r, --rewrite FROM:TO    pass signal TO on instead of FROM; 0 drops it\n"
	"  -p, --parent-death SIG   get signal SIG when the parent process ends\n"
	"  -e, --expect-exit N      exit with 0 where PROGRAM exits with N\n"
	"      --grace SECONDS      when PROGRAM has ended, SIGTERM to all others, and\n"
	"                           up to SECONDS for them to end before SIGKILL\n"
	"      --no-tty             no controlling terminal for PROGRAM\n"
	"      --report-fd N        write what happens to descriptor N, see report.h\n"
	"      --hold-fd N[,N]...   keep descriptors N open, closed in PROGRAM\n"
	"      --launch             start PROGRAM in the PID namespace that children are\n"
	"                           born in, as a child of the parent process, and end\n"
	"      --gate-fd N          with --launch: not until a byte comes from there\n"
	"      --program-fd N       with --launch: PROGRAM is the file open at N\n"
	"  -w, --warn               print a line for every orphan reaped\n"
	"  -v, --verbose            tell more; can be repeated\n"
	"  -h, --help               print this\n"
	"      --version            print the version\n"
	"  -l, --license            print the license\n"
	"\n"
	"Environment: CTINIT_SUBREAPER, CTINIT_KILL_PROCESS_GROUP, CTINIT_VERBOSITY,\n"
	"and the same with TINI_. See ctinit(8).\n";

/* A capital stands for an option that has no short form. */
static const struct option {
	char letter;
	bool has_value;
	const char *name;
} table[] = {
	{ 's', false, "--subreaper" },	{ 'g', false, "--group" },
	{ 'r', true, "--rewrite" },	{ 'p', true, "--parent-death" },
	{ 'e', true, "--expect-exit" }, { 'w', false, "--warn" },
	{ 'v', false, "--verbose" },	{ 'h', false, "--help" },
	{ 'l', false, "--license" },	{ 'V', false, "--version" },
	{ 'G', true, "--grace" },	{ 'T', false, "--no-tty" },
	{ 'R', true, "--report-fd" },	{ 'H', true, "--hold-fd" },
	{ 'L', false, "--launch" },	{ 'A', true, "--gate-fd" },
	{ 'P', true, "--program-fd" },
};

/* Milliseconds of "2" or "0.25" seconds; -1 for anything else, and for more than a day. */
static int seconds_parse(const char *text)
{
	int ms = 0;
	int unit = 1000; /* of the next digit; smaller after the point */

	if (!*text)
		return -1;
	for (; *text; text++) {
		int digit = *text - '0';

		if (*text == '.' && unit == 1000) {
			unit = 100;
			continue;
		}
		if (digit < 0 || digit > 9)
			return -1;
		ms = (unit == 1000 ? ms * 10 : ms) + digit * unit;
		if (unit < 1000)
			unit /= 10;
		if (ms > 24 * 3600 * 1000)
			return -1;
	}
	return ms;
}

/*
 * Copies text up to a separator into word. Returns what follows the separator; null without one. A
 * word that does not fit is cut, and then is none of those that ctinit knows.
 */
static const char *split(const char *text, char separator, char word[static WORD_SIZE])
{
	size_t length = 0;

	for (; *text && *text != separator; text++)
		if (length < WORD_SIZE - 1)
			word[length++] = *text;
	word[length] = '\0';
	return *text ? text + 1 : NULL;
}

/* The functions that take an option's value return what is wrong with it, or a null pointer. */

static const char *rewrite_add(struct options *options, const char *value)
{
	char word[WORD_SIZE];
	const char *target = split(value, ':', word);
	int from = signal_parse(word);
	int to = target ? signal_parse(target) : -1;

	if (!target)
		return "not of the form FROM:TO";
	if (from <= 0 || to < 0)
		return "no such signal";
	if (from == SIGKILL || from == SIGSTOP)
		return "cannot be caught";
	options->rewrite[from] = (uint8_t)to;
	return NULL;
}

/* Descriptor fd stays open in ctinit when all others are closed; `room` is for how many. */
static const char *keep(struct options *options, int fd, int room)
{
	int at = options->kept;

	for (int i = 0; i < options->kept; i++)
		if (options->kept_fds[i] == fd)
			return NULL;
	if (at == room)
		return "too many descriptors";
	for (; at > 0 && options->kept_fds[at - 1] > fd; at--)
		options->kept_fds[at] = options->kept_fds[at - 1];
	options->kept_fds[at] = fd;
	options->kept++;
	return NULL;
}

/* ... and is not for the payload. */
static const char *withhold(struct options *options, int fd)
{
	if (fd < 0)
		return "not a descriptor";
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return strerror(errno);
	options->managed = true;
	return keep(options, fd, KEPT_MAX);
}

static const char *hold_add(struct options *options, const char *list)
{
	const char *wrong = NULL;

	while (list && !wrong) {
		char word[WORD_SIZE];

		list = split(list, ',', word);
		wrong = withhold(options, number_parse(word, INT_MAX));
	}
	return wrong;
}

static const char *report_add(struct options *options, const char *value)
{
	int fd = number_parse(value, INT_MAX);
	const char *wrong = withhold(options, fd);

	if (wrong)
		return wrong;
	if (options->reports == REPORTS_MAX)
		return "too many descriptors";
	options->report_fds[options->reports++] = fd;
	return NULL;
}

static const char *take_fd(struct options *options, const char *value, int *out)
{
	*out = number_parse(value, INT_MAX);
	return withhold(options, *out);
}

static const char *apply(struct options *options, char letter, const char *value)
{
	int number;

	switch (letter) {
	case 's':
		options->subreaper = true;
		return NULL;
	case 'g':
		options->group = true;
		return NULL;
	case 'w':
		options->warn_reaped = true;
		return NULL;
	case 'v':
		options->verbosity++;
		return NULL;
	case 'T':
		options->no_tty = true;
		return NULL;
	case 'p':
		options->parent_death = signal_parse(value);
		return options->parent_death > 0 ? NULL : "no such signal";
	case 'e':
		number = number_parse(value, 255);
		if (number < 0)
			return "not an exit status from 0 to 255";
		options->expected[number] = true;
		return NULL;
	case 'G':
		options->grace_ms = seconds_parse(value);
		return options->grace_ms >= 0 ? NULL : "not a number of seconds";
	case 'r':
		return rewrite_add(options, value);
	case 'R':
		return report_add(options, value);
	case 'L':
		options->launch = true;
		return NULL;
	case 'A':
		return take_fd(options, value, &options->gate_fd);
	case 'P':
		return take_fd(options, value, &options->program_fd);
	default:
		return hold_add(options, value);
	}
}

/* Who launches does not stay to look after the program: only these mean something to it. */
static bool goes_with_launch(char letter)
{
	return strchr("LAPRTv", letter) != NULL;
}

static int print(const char *text)
{
	return write(STDOUT_FILENO, text, strlen(text)) < 0 ? EXIT_OWN : 0;
}

static int mistake(const char *option, const char *value, const char *wrong)
{
	say(option, value ? " " : "", value ? value : "", ": ", wrong, " (see ctinit --help)");
	return EXIT_OWN;
}

/* Does what one option asks for. Returns -1 to go on, else the exit status. */
static int take(struct options *options, const struct option *option, const char *value)
{
	const char *wrong;

	switch (option->letter) {
	case 'h':
		return print(help);
	case 'l':
		return print(license);
	case 'V':
		return print(version);
	}
	if (!goes_with_launch(option->letter))
		options->apart = option->name;
	wrong = option->has_value && !value ? "needs a value" :
					      apply(options, option->letter, value);
	return wrong ? mistake(option->name, value, wrong) : -1;
}

/* --name, --name=value, or --name and the value as the next argument: then *at moves on to that. */
static int take_long(struct options *options, char **argv, int *at)
{
	const char *argument = argv[*at];
	size_t length = strcspn(argument, "=");
	const char *value = argument[length] ? argument + length + 1 : NULL;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct option *option = &table[i];

		if (strlen(option->name) != length || memcmp(option->name, argument, length) != 0)
			continue;
		if (value && !option->has_value)
			return mistake(option->name, value, "takes no value");
		if (!value && option->has_value)
			value = argv[++*at];
		return take(options, option, value);
	}
	return mistake(argument, NULL, "no such option");
}

/* -x, several as -xyz, -xVALUE, or -x and the value as the next argument. */
static int take_short(struct options *options, char **argv, int *at)
{
	for (const char *letter = argv[*at] + 1; *letter; letter++) {
		const struct option *option = NULL;
		const char *value = NULL;
		int status;

		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			if (table[i].letter == *letter && *letter >= 'a')
				option = &table[i];
		if (!option)
			return mistake(argv[*at], NULL, "no such option");
		if (option->has_value)
			value = letter[1] ? letter + 1 : argv[++*at];
		status = take(options, option, value);
		if (status >= 0 || option->has_value)
			return status;
	}
	return -1;
}

/* Where tini looks at a variable's presence alone, CTINIT_x=0 can also switch off TINI_x. */
static bool is_on(const char *own, const char *tini)
{
	const char *value = getenv(own);

	return value ? strcmp(value, "0") != 0 : getenv(tini) != NULL;
}

static void take_environment(struct options *options)
{
	const char *level = getenv("CTINIT_VERBOSITY");
	int number;

	options->subreaper = is_on("CTINIT_SUBREAPER", "TINI_SUBREAPER");
	options->group = is_on("CTINIT_KILL_PROCESS_GROUP", "TINI_KILL_PROCESS_GROUP");
	if (!level)
		level = getenv("TINI_VERBOSITY");
	number = level ? number_parse(level, 99) : -1;
	if (number >= 0)
		options->verbosity = number;
}

int options_parse(struct options *options, int argc, char **argv)
{
	int at = 1;

	*options = (struct options){ .verbosity = SAY_WARNINGS, .gate_fd = -1, .program_fd = -1 };
	for (int number = 1; number <= SIGNAL_LAST; number++)
		options->rewrite[number] = (uint8_t)number;
	take_environment(options);

	for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
		int status;

		if (strcmp(argv[at], "--") == 0) {
			at++;
			break;
		}
		status = argv[at][1] == '-' ? take_long(options, argv, &at) :
					      take_short(options, argv, &at);
		if (status >= 0)
			return status;
	}
	if (!options->launch && (options->gate_fd >= 0 || options->program_fd >= 0)) {
		say("--gate-fd and --program-fd go with --launch (see ctinit --help)");
		return EXIT_OWN;
	}
	if (options->launch && options->apart)
		return mistake(options->apart, NULL, "does not go with --launch");
	options->program = argv + at;
	if (!*options->program) {
		say("no program to run (see ctinit --help)");
		return EXIT_OWN;
	}
	if (options->warn_reaped || options->verbosity > SAY_WARNINGS)
		keep(options, STDERR_FILENO, KEPT_MAX + 1);
	return -1;
}
