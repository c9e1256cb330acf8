/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: what containers use, once or again and again. Each of them is a row that lives from
 * sample to sample, as rates need two.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/format.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "manager/cmd/stats_row.h"
#include "manager/cmd/terminal.h"
#include "manager/lifecycle.h"
#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"

#define ONCE_NS (NS_PER_S / 2) /* between the two samples of --no-stream */
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

struct stats {
	bool all, once;
	char *const *names; /* NULL: those that run, or all */
	int nnames;
	struct buf missing; /* what was said of those that are not there */
	struct format_request request;
	struct format *format;
	struct store store;
	struct stats_row *rows;
	size_t nrows, cap;
};

static void stats_release(struct stats *stats)
{
	for (size_t i = 0; i < stats->nrows; i++)
		stats_row_release(&stats->rows[i]);
	free(stats->rows);
	format_release(&stats->format);
	buf_release(&stats->missing);
	store_close(&stats->store);
}

/* --- which --- */

static struct stats_row *find_row(struct stats *stats, const char *id)
{
	for (size_t i = 0; i < stats->nrows; i++)
		if (strcmp(stats->rows[i].id, id) == 0)
			return &stats->rows[i];
	return NULL;
}

static int add_row(struct stats *stats, struct stats_row **out, struct err *err)
{
	if (stats->nrows == stats->cap) {
		size_t cap = stats->cap ? 2 * stats->cap : 16;
		struct stats_row *rows = reallocarray(stats->rows, cap, sizeof(*rows));

		if (!rows)
			return err_sys(err, ENOMEM, "cannot list the containers");
		stats->rows = rows;
		stats->cap = cap;
	}
	*out = &stats->rows[stats->nrows++];
	**out = (struct stats_row){ 0 };
	return 0;
}

static int take_record(struct stats *stats, const struct container_record *record, struct err *err)
{
	struct stats_row *row = find_row(stats, record->id);
	int rc = row ? 0 : add_row(stats, &row, err);

	if (rc == 0)
		rc = stats_row_take(row, &stats->store, record, err);
	return rc;
}

static int visit(const struct container_record *record, void *data, struct err *err)
{
	struct stats *stats = data;

	if (!stats->all && record->state != CONTAINER_RUNNING && record->state != CONTAINER_PAUSED)
		return 0;
	return take_record(stats, record, err);
}

/* What the table would cover at once is told below it, time after time. */
static void tell_missing(struct stats *stats, const struct err *err)
{
	report_error(err);
	buf_addstr(&stats->missing, "cman: ");
	buf_add_escaped(&stats->missing, err->text, strlen(err->text));
	buf_addch(&stats->missing, '\n');
}

/* The first time it is told which are not there; later one may be gone. */
static int take_named(struct stats *stats, bool first, struct err *err)
{
	for (int i = 0; i < stats->nnames; i++) {
		AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
		struct err missing = ERR_INIT;
		int rc = first ? lifecycle_find(&stats->store, stats->names[i], &record, &missing) :
				 container_find(&stats->store, stats->names[i], &record, &missing);

		if (rc < 0 && first)
			tell_missing(stats, &missing);
		if (rc == 0 && take_record(stats, &record, err) < 0)
			return err_code(err);
	}
	return 0;
}

static void drop_unseen(struct stats *stats)
{
	size_t kept = 0;

	for (size_t i = 0; i < stats->nrows; i++) {
		if (stats->rows[i].seen)
			stats->rows[kept++] = stats->rows[i];
		else
			stats_row_release(&stats->rows[i]);
	}
	stats->nrows = kept;
}

static int sample(struct stats *stats, bool first, struct err *err)
{
	int rc;

	for (size_t i = 0; i < stats->nrows; i++)
		stats->rows[i].seen = false;
	rc = stats->nnames ? take_named(stats, first, err) :
			     container_each(&stats->store, visit, stats, err);
	if (rc < 0)
		return rc;
	drop_unseen(stats);
	for (size_t i = 0; i < stats->nrows; i++)
		stats_row_sample(&stats->rows[i]);
	return 0;
}

/* --- printing --- */

static int print_rows(struct stats *stats, FILE *out, struct err *err)
{
	format_reset(stats->format);
	for (size_t i = 0; i < stats->nrows; i++)
		stats_row_add(&stats->rows[i], stats->format);
	return format_print(stats->format, out, err);
}

/* Over the one before, line by line, in one write: what stays the same does not flicker. */
static void put_frame(const char *text, uint16_t rows)
{
	uint16_t line = 0;

	fputs(HOME, stdout);
	while (*text && (rows == 0 || line + 1 < rows)) {
		size_t len = strcspn(text, "\n");

		fwrite(text, 1, len, stdout);
		fputs(CLEAR_LINE "\n", stdout);
		text += len + (text[len] == '\n');
		line++;
	}
	fputs(CLEAR_REST, stdout);
}

static int print_frame(struct stats *stats, struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t size = 0;
	uint16_t rows, cols;
	FILE *frame = open_memstream(&text, &size);
	int rc;

	if (!frame)
		return err_sys(err, ENOMEM, "cannot make a table");
	rc = print_rows(stats, frame, err);
	if (rc == 0 && stats->missing.len > 0)
		fprintf(frame, "\n%s", stats->missing.data);
	if (fclose(frame) != 0 && rc == 0)
		rc = err_sys(err, ENOMEM, "cannot make a table");
	if (rc < 0)
		return rc;
	terminal_size(STDOUT_FILENO, &rows, &cols);
	put_frame(text, rows);
	return 0;
}

/* --- the course of it --- */

static void sleep_until(int64_t deadline_ns)
{
	const struct timespec deadline = { .tv_sec = (time_t)(deadline_ns / NS_PER_S),
					   .tv_nsec = (long)(deadline_ns % NS_PER_S) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR)
		;
}

static int new_format(struct stats *stats, struct err *err)
{
	format_release(&stats->format);
	stats->format = NULL;
	stats->request.width = format_terminal_width(STDOUT_FILENO);
	return format_new(stats_fields, &stats->request, &stats->format, err);
}

/* That none of those named is there ends it. */
static bool nothing_left(const struct stats *stats)
{
	return stats->missing.len > 0 && stats->nrows == 0;
}

static int show_once(struct stats *stats, struct err *err)
{
	int64_t begun = clock_monotonic_ns();
	int rc = sample(stats, true, err);

	if (rc < 0 || nothing_left(stats))
		return rc;
	sleep_until(begun + ONCE_NS);
	rc = sample(stats, false, err);
	return rc < 0 ? rc : print_rows(stats, stdout, err);
}

/* Until somebody interrupts it, or nobody reads any more. */
static int show_all_the_time(struct stats *stats, struct err *err)
{
	const char *term = getenv("TERM");
	const bool live = isatty(STDOUT_FILENO) && !(term && strcmp(term, "dumb") == 0) &&
			  (!stats->request.format || begins_with(stats->request.format, "table"));
	int64_t next = clock_monotonic_ns();
	int rc = sample(stats, true, err);

	if (rc < 0 || nothing_left(stats))
		return rc;
	if (live)
		fputs(HOME CLEAR_REST, stdout);
	for (;;) {
		if (live)
			rc = new_format(stats, err); /* the terminal may be another size by now */
		if (rc == 0)
			rc = live ? print_frame(stats, err) : print_rows(stats, stdout, err);
		if (rc < 0)
			return rc;
		if (fflush(stdout) != 0)
			return 0; /* main looks at ferror */
		next += NS_PER_S;
		sleep_until(next);
		rc = sample(stats, false, err);
		if (rc < 0)
			return rc;
	}
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(stats_release))) struct stats stats = { .store = STORE_INIT };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_stats, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 'a')
			stats.all = true;
		else if (strcmp(option->name, "format") == 0)
			stats.request.format = value;
		else if (strcmp(option->name, "no-stream") == 0)
			stats.once = true;
		else
			stats.request.no_trunc = true;
	}
	if (rc < 0 || options_operands(&parse, 0, -1, err) < 0)
		return -1;
	stats.names = argv + parse.next;
	stats.nnames = argc - parse.next;
	if (new_format(&stats, err) < 0 || store_open(app->root, &stats.store, err) < 0)
		return -1;
	rc = stats.once ? show_once(&stats, err) : show_all_the_time(&stats, err);
	return rc < 0 ? -1 : stats.missing.len > 0 ? EXIT_CMAN : 0;
}

const struct cmd cmd_stats = {
	.name = "stats",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [CONTAINER...]",
	.summary = "show what containers use, as they run",
	.details =
		"One line for each container that runs, or that was named, refreshed every second: "
		"processor time since the line before (100% is one processor), memory and its "
		"limit (the machine's, where it has none), bytes over the network and from and to "
		"devices since it was started, and threads.\n\n"
		"A template is text with {{.Field}}, {{json .}} and what else Go's have (see TEMPLATES "
		"in cman(1)); 'table' before it gives it headings, and columns at its tabs (\\t). "
		"Fields: ID Name CPUPerc MemUsage "
		"MemPerc NetIO BlockIO PIDs Container MemSource Throttled CPUPressure MemPressure "
		"IOPressure CPUNanoseconds MemBytes MemLimitBytes NetReceived NetSent BlockRead "
		"BlockWritten.",
	.options =
		(const struct cmd_option[]){
			{ 'a', "all", NULL, "those that do not run, too" },
			{ 0, "format", "FORMAT", "json, 'table TEMPLATE', or a template" },
			{ 0, "no-stream", NULL, "once, over half a second" },
			{ 0, "no-trunc", NULL, "cut nothing, and show whole IDs" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
