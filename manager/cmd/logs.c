/* SPDX-License-Identifier: Apache-2.0 */
/* cman logs: what containers have said, and with -f what they say. */
#include <stdint.h>
#include <string.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/logs_print.h"
#include "manager/cmd/logs_source.h"
#include "manager/cmd/logs_time.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "store/base/clock.h"
#include "store/logs.h"

enum { OPT_FOLLOW, OPT_TIMESTAMPS, OPT_TAIL, OPT_NAMES, OPT_SINCE, OPT_UNTIL };

static const struct cmd_option options[] = {
	[OPT_FOLLOW] = { 'f', "follow", NULL, "go on until all of them have ended" },
	[OPT_TIMESTAMPS] = { 't', "timestamps", NULL, "begin each line with its time (UTC)" },
	[OPT_TAIL] = { 'n', "tail", "N", "only the last N lines of each (default: all)" },
	[OPT_NAMES] = { 0, "names", "WHEN",
			"names before the lines: auto (of several), always or never" },
	[OPT_SINCE] = { 0, "since", "TIME", "only from TIME on, such as 10m (ago)" },
	[OPT_UNTIL] = { 0, "until", "TIME", "only up to TIME" },
	{ 0, NULL, NULL, NULL },
};

enum names_when { NAMES_AUTO, NAMES_ALWAYS, NAMES_NEVER };

struct logs {
	char *const *containers;
	size_t ncontainers;
	bool follow, timestamps;
	enum names_when names;
	struct log_query query;
};

static int take_names(const char *value, enum names_when *out, struct err *err)
{
	static const char *const words[] = { "auto", "always", "never" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i]) == 0) {
			*out = (enum names_when)i;
			return 0;
		}
	return err_set(err, ERR_USAGE, 0, "--names: not auto, always or never: %s", value);
}

static int parse(int argc, char **argv, struct logs *logs, struct err *err)
{
	struct option_parse parse;
	const struct cmd_option *option;
	const char *value;
	int64_t now = clock_now_ns();
	int rc;

	options_begin(&parse, &cmd_logs, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		switch (option - options) {
		case OPT_FOLLOW:
			logs->follow = true;
			break;
		case OPT_TIMESTAMPS:
			logs->timestamps = true;
			break;
		case OPT_TAIL:
			if (strcmp(value, "all") != 0)
				rc = option_int(option, value, 0, INT64_MAX, &logs->query.tail,
						err);
			break;
		case OPT_NAMES:
			rc = take_names(value, &logs->names, err);
			break;
		case OPT_SINCE:
			rc = logs_time_parse(option, value, now, &logs->query.since_ns, err);
			break;
		default:
			rc = logs_time_parse(option, value, now, &logs->query.until_ns, err);
			break;
		}
		if (rc < 0)
			return rc;
	}
	if (rc == 0)
		rc = options_operands(&parse, 1, -1, err);
	logs->containers = argv + parse.next;
	logs->ncontainers = (size_t)(argc - parse.next);
	return rc;
}

/* Milliseconds until nothing can come any more that --until lets through; -1: never. */
static int time_left_ms(const struct logs *logs)
{
	return logs->query.until_ns == INT64_MAX ?
		       -1 :
		       clock_ms_until(logs->query.until_ns, clock_now_ns());
}

static int follow(struct store *store, const struct logs *logs, struct logs_sources *sources,
		  struct logs_print *print, struct err *err)
{
	int more = 1;

	while (more > 0 && time_left_ms(logs) != 0) {
		/* First this, then the logs: what was written before the end is in them then. */
		more = logs_sources_await(store, sources, time_left_ms(logs), err);
		if (more >= 0 && logs_sources_print(sources, print, err) < 0)
			return err_code(err);
	}
	return more < 0 ? more : 0;
}

/* Columns for the names before the lines, 0 for none. */
static int name_width(const struct logs *logs, const struct logs_sources *sources)
{
	size_t width = 0;

	if (logs->names == NAMES_NEVER ||
	    (logs->names == NAMES_AUTO && sources->n + sources->nfailed == 1))
		return 0;
	for (size_t i = 0; i < sources->n; i++)
		if (strlen(sources->list[i].record.name) > width)
			width = strlen(sources->list[i].record.name);
	return (int)width;
}

/* Returns the exit status. */
static int show(struct app *app, const struct logs *logs, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_LOGS_SOURCES struct logs_sources sources = LOGS_SOURCES_INIT;
	__attribute__((cleanup(logs_print_release))) struct logs_print print = { 0 };
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = logs_sources_open(&store, logs->containers, logs->ncontainers, &logs->query,
				       &sources, err);
	if (rc < 0)
		return rc;
	if (sources.n == 0)
		return EXIT_CMAN;
	logs_print_init(&print, logs->timestamps, name_width(logs, &sources));
	if (logs->follow)
		rc = logs_sources_watch(&store, &sources, err);
	if (rc == 0)
		rc = logs_sources_print(&sources, &print, err);
	if (rc == 0 && logs->follow)
		rc = follow(&store, logs, &sources, &print, err);
	if (rc == 0)
		rc = logs_print_flush(&print, true, err);
	return rc < 0 ? rc : sources.nfailed > 0 ? EXIT_CMAN : 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct logs logs = {
		.query = { .since_ns = INT64_MIN, .until_ns = INT64_MAX, .tail = -1 },
	};

	return parse(argc, argv, &logs, err) < 0 ? -1 : show(app, &logs, err);
}

const struct cmd cmd_logs = {
	.name = "logs",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER...",
	.summary = "show what containers have printed",
	.details =
		"What it printed to stdout goes to stdout, what it printed to stderr to stderr, byte "
		"for byte; on a terminal, control characters other than colours are made visible. "
		"The lines of several containers are merged by time, each with its name before it.\n\n"
		"TIME is a date (2026-01-31T12:00:00Z, 2026-01-31), seconds since 1970, how long ago "
		"(90s, 1h30m, 2d), now, today or yesterday; with a + before it, from now on. The log is bounded: where its oldest records went, a line on stderr "
		"tells how many.",
	.options = options,
	.absent =
		(const struct cmd_absent[]){
			{ "details", "what was given with a container is not kept with its lines",
			  "its labels: cman inspect -f '{{json .Config.Labels}}' CONTAINER" },
			{ "color colors", "names before the lines have colours on a terminal",
			  "leave it out" },
			{ NULL, NULL, NULL },
		},
	.run = run,
};
