/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps: one pass over the records makes the rows. Those that say "running" are then held against
 * /proc; only when one of them was wrong (its monitor was killed, or the machine) the rows are made
 * a second time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/filter.h"
#include "manager/cmd/format.h"
#include "manager/cmd/human.h"
#include "manager/cmd/options.h"
#include "manager/cmd/status.h"
#include "manager/lifecycle.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"

enum field {
	ID,
	NAME,
	IMAGE,
	PID,
	STATUS,
	COMMAND,
	RUNNING_FOR,
	NAMES,
	IMAGE_ID,
	STATE,
	EXIT_CODE,
	CREATED_AT,
	STARTED_AT,
	FINISHED_AT,
	ERROR,
	NFIELDS,
};

static const struct format_field fields[] = {
	[ID] = { "ID", "CONTAINER ID", FORMAT_COLUMN },
	[NAME] = { "Name", "NAME", FORMAT_COLUMN | FORMAT_CUT },
	[IMAGE] = { "Image", "IMAGE", FORMAT_COLUMN | FORMAT_CUT },
	[PID] = { "PID", "PID", FORMAT_COLUMN | FORMAT_RAW },
	[STATUS] = { "Status", "STATUS", FORMAT_COLUMN },
	[COMMAND] = { "Command", "COMMAND", FORMAT_COLUMN | FORMAT_CUT | FORMAT_LONG },
	[RUNNING_FOR] = { "RunningFor", "CREATED", FORMAT_COLUMN },
	[NAMES] = { "Names", "NAME", FORMAT_ALIAS | FORMAT_CUT },
	[IMAGE_ID] = { "ImageID", "IMAGE ID", 0 },
	[STATE] = { "State", "STATE", 0 },
	[EXIT_CODE] = { "ExitCode", "EXIT CODE", FORMAT_RAW },
	[CREATED_AT] = { "CreatedAt", "CREATED AT", 0 },
	[STARTED_AT] = { "StartedAt", "STARTED AT", 0 },
	[FINISHED_AT] = { "FinishedAt", "FINISHED AT", 0 },
	[ERROR] = { "Error", "ERROR", FORMAT_CUT },
	[NFIELDS] = { NULL, NULL, 0 },
};

struct ps {
	bool all;
	struct filters filters;
	struct format_request request;
	struct format *format;
	int64_t now_ns;
	/* What the records said to be running in the first pass. */
	struct container_record *running;
	size_t nrunning;
	bool first_pass;
};

static void ps_release(struct ps *ps)
{
	for (size_t i = 0; i < ps->nrunning; i++)
		container_record_release(&ps->running[i]);
	free(ps->running);
	filters_release(&ps->filters);
	format_release(&ps->format);
}

/* What lifecycle_refresh() needs of a record, and room for what it changes. */
static int keep_running(struct ps *ps, const struct container_record *record, struct err *err)
{
	struct container_record *list;
	struct container_record copy = *record;

	if ((ps->nrunning & (ps->nrunning - 1)) == 0) { /* full at powers of two */
		list = reallocarray(ps->running, ps->nrunning ? 2 * ps->nrunning : 1,
				    sizeof(*list));
		if (!list)
			return err_sys(err, ENOMEM, "cannot list the containers");
		ps->running = list;
	}
	copy.name = strdup(record->name);
	copy.image = copy.image_id = copy.command = copy.error = NULL;
	copy.labels = copy.ended_by = copy.ending = NULL;
	if (!copy.name)
		return err_sys(err, ENOMEM, "cannot list the containers");
	ps->running[ps->nrunning++] = copy;
	return 0;
}

/* The time as text, or NULL (null, "-") for one that has not come. */
static const char *time_or_null(const struct ps *ps, enum field field, int64_t ns,
				char text[HUMAN_MAX])
{
	if (ns == 0 || !format_uses(ps->format, field))
		return NULL;
	human_time(ns, text);
	return text;
}

static void add_row(struct ps *ps, const struct container_record *record, struct buf *command)
{
	char id[CONTAINER_ID_LEN + 1];
	char pid[24], exit_code[24], status[STATUS_MAX], age[HUMAN_MAX + 8];
	char created[HUMAN_MAX], started[HUMAN_MAX], finished[HUMAN_MAX];
	const char *values[NFIELDS] = { 0 };

	memcpy(id, record->id, sizeof(id));
	if (!format_wants_full(ps->format))
		id[12] = '\0';
	values[ID] = id;
	values[NAME] = values[NAMES] = record->name;
	values[IMAGE] = record->image;
	values[IMAGE_ID] = record->image_id;
	values[STATE] = container_state_name(record->state);
	values[ERROR] = record->error;
	if (status_is_live(record->state) && record->pid > 0) {
		human_number(record->pid, pid);
		values[PID] = pid;
	}
	if (record->state == CONTAINER_EXITED && record->exit_code >= 0) {
		human_number(record->exit_code, exit_code);
		values[EXIT_CODE] = exit_code;
	}
	if (format_uses(ps->format, STATUS))
		values[STATUS] = status_text(record, ps->now_ns, status);
	if (format_uses(ps->format, RUNNING_FOR))
		values[RUNNING_FOR] = status_ago(ps->now_ns - record->created_ns, age);
	if (format_uses(ps->format, COMMAND)) {
		buf_reset(command);
		status_add_command(command, record->command);
		values[COMMAND] = command->data;
	}
	values[CREATED_AT] = time_or_null(ps, CREATED_AT, record->created_ns, created);
	values[STARTED_AT] = time_or_null(ps, STARTED_AT, record->started_ns, started);
	values[FINISHED_AT] = time_or_null(ps, FINISHED_AT, record->finished_ns, finished);
	format_row(ps->format, values);
}

struct walk {
	struct ps *ps;
	struct buf command; /* reused from row to row */
};

static int visit(const struct container_record *record, void *data, struct err *err)
{
	struct walk *walk = data;
	struct ps *ps = walk->ps;
	bool live = status_is_live(record->state);

	if (live && ps->first_pass && keep_running(ps, record, err) < 0)
		return err_code(err);
	if (live || ps->all)
		if (filters_match(&ps->filters, record))
			add_row(ps, record, &walk->command);
	return 0;
}

static int walk_records(struct ps *ps, struct store *store, struct err *err)
{
	struct walk walk = { ps, BUF_INIT };
	int rc = container_each(store, visit, &walk, err);

	if (rc == 0 && buf_failed(&walk.command))
		rc = err_sys(err, ENOMEM, "cannot list the containers");
	buf_release(&walk.command);
	return rc;
}

/* Whether a record was brought up to date, so that the rows are stale. */
static bool refresh_running(struct ps *ps, struct store *store)
{
	bool changed = false;

	for (size_t i = 0; i < ps->nrunning; i++) {
		struct container_record *record = &ps->running[i];
		enum container_state said = record->state;
		struct err err = ERR_INIT;

		/* One that cannot be looked at is shown as recorded, and the list goes on. */
		if (lifecycle_refresh(store, record, &err) < 0 && err.kind != ERR_NOT_FOUND)
			log_warn("%s: %s", record->name, err.text);
		else if (err.kind == ERR_NOT_FOUND || record->state != said)
			changed = true;
	}
	return changed;
}

static int list(struct ps *ps, struct app *app, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;

	if (format_new(fields, &ps->request, &ps->format, err) < 0 ||
	    store_open(app->root, &store, err) < 0)
		return err_code(err);
	ps->now_ns = clock_now_ns();
	ps->first_pass = true;
	if (walk_records(ps, &store, err) < 0)
		return err_code(err);
	if (refresh_running(ps, &store)) {
		ps->first_pass = false;
		format_reset(ps->format);
		if (walk_records(ps, &store, err) < 0)
			return err_code(err);
	}
	return format_print(ps->format, stdout, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(ps_release))) struct ps ps = { 0 };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_ps, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 'a')
			ps.all = true;
		else if (option->letter == 'q')
			ps.request.quiet = true;
		else if (option->letter == 'f' && filters_add(&ps.filters, value, err) < 0)
			return -1;
		else if (strcmp(option->name, "format") == 0)
			ps.request.format = value;
		else if (strcmp(option->name, "no-trunc") == 0)
			ps.request.no_trunc = true;
	}
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
		return -1;
	ps.all = ps.all || filters_ask_for_state(&ps.filters);
	ps.request.width = format_terminal_width(STDOUT_FILENO);
	return list(&ps, app, err);
}

const struct cmd cmd_ps = {
	.name = "ps",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS]",
	.summary = "list containers",
	.details =
		"Lists the containers that run; with -a, or a filter for a status, those that "
		"have ended or not begun, too. The table fits the terminal.\n\n"
		"A template is text with {{.Field}}, {{json .Field}} or {{json .}}; 'table' before "
		"it gives it headings and columns at its tabs (\\t). Fields: ID Name Image PID "
		"Status Command RunningFor ImageID State ExitCode CreatedAt StartedAt FinishedAt "
		"Error.\n\n"
		"Filters: id=PREFIX, name=REGEX, status=STATE, exited=STATUS, image=REFERENCE. Those of "
		"one key are alternatives, those of different keys must all hold.",
	.options =
		(const struct cmd_option[]){
			{ 'a', "all", NULL, "those that do not run, too" },
			{ 'f', "filter", "KEY=VALUE", "only those for which it holds" },
			{ 0, "format", "FORMAT", "json, 'table TEMPLATE', or a template" },
			{ 0, "no-trunc", NULL, "cut nothing, and show whole IDs" },
			{ 'q', "quiet", NULL, "only the IDs" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
