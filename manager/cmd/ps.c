/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps: one pass over the records makes the rows. Those that say "running" and whose monitor is not
 * seen are then held against /proc; only when one of them was wrong (its monitor was killed, or the
 * machine) the rows are made a second time.
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
#include "manager/cmd/ps_details.h"
#include "manager/cmd/ps_sort.h"
#include "manager/cmd/status.h"
#include "manager/lifecycle.h"
#include "manager/monitor/liveness.h"
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
	HEALTH,
	LABELS,
	MOUNTS,
	NETWORKS,
	PORTS,
	SIZE,
	RESTARTS,
	NFIELDS,
};

enum {
	OPT_ALL,
	OPT_FILTER,
	OPT_FORMAT,
	OPT_LAST,
	OPT_LATEST,
	OPT_NO_TRUNC,
	OPT_NOHEADING,
	OPT_QUIET,
	OPT_SIZE,
	OPT_SORT,
	OPT_END,
};

static const struct cmd_option option_table[] = {
	[OPT_ALL] = { 'a', "all", NULL, "those that do not run, too" },
	[OPT_FILTER] = { 'f', "filter", "KEY=VALUE", "only those for which it holds" },
	[OPT_FORMAT] = { 0, "format", "FORMAT", "json, 'table TEMPLATE', or a template" },
	[OPT_LAST] = { 'n', "last", "COUNT", "so many that were made last, running or not" },
	[OPT_LATEST] = { 'l', "latest", NULL, "the one that was made last, running or not" },
	[OPT_NO_TRUNC] = { 0, "no-trunc", NULL, "cut nothing, and show whole IDs" },
	[OPT_NOHEADING] = { 0, "noheading", NULL, "a table without its headings" },
	[OPT_QUIET] = { 'q', "quiet", NULL, "only the IDs" },
	[OPT_SIZE] = { 's', "size", NULL, "what each has written, too" },
	[OPT_SORT] = { 0, "sort", "FIELD", "in this order, in place of the newest first" },
	[OPT_END] = { 0, NULL, NULL, NULL },
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
	[HEALTH] = { "Health", "HEALTH", 0 },
	[LABELS] = { "Labels", "LABELS", FORMAT_CUT },
	[MOUNTS] = { "Mounts", "MOUNTS", FORMAT_CUT },
	[NETWORKS] = { "Networks", "NETWORKS", 0 },
	[PORTS] = { "Ports", "PORTS", 0 },
	[SIZE] = { "Size", "SIZE", 0 },
	[RESTARTS] = { "Restarts", "RESTARTS", FORMAT_RAW },
	[NFIELDS] = { NULL, NULL, 0 },
};

struct ps {
	bool all;
	bool sizes;   /* --size */
	int64_t last; /* --last: so many; -1: all */
	struct store *store;
	struct format_field fields[NFIELDS + 1];
	struct filters filters;
	struct ps_sort sort;
	struct format_request request;
	struct format *format;
	int64_t now_ns;
	bool first_pass;
	struct liveness_list liveness; /* in the first pass */
	/* What it found to be running by its record alone. */
	struct unseen *unseen;
	size_t nunseen;
};

struct unseen {
	char id[CONTAINER_ID_LEN + 1];
	enum container_state state;
};

static void ps_release(struct ps *ps)
{
	free(ps->unseen);
	liveness_list_close(&ps->liveness);
	filters_release(&ps->filters);
	ps_sort_release(&ps->sort);
	format_release(&ps->format);
}

static int keep_unseen(struct ps *ps, const struct container_record *record, struct err *err)
{
	struct unseen *list;

	if ((ps->nunseen & (ps->nunseen - 1)) == 0) { /* full at powers of two */
		list = reallocarray(ps->unseen, ps->nunseen ? 2 * ps->nunseen : 1, sizeof(*list));
		if (!list)
			return err_sys(err, ENOMEM, "cannot list the containers");
		ps->unseen = list;
	}
	memcpy(ps->unseen[ps->nunseen].id, record->id, sizeof(record->id));
	ps->unseen[ps->nunseen++].state = record->state;
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

/* Texts that are made for a row; reused from row to row. */
struct texts {
	struct buf command, labels, mounts, network, size;
};

static void texts_release(struct texts *texts)
{
	buf_release(&texts->command);
	buf_release(&texts->labels);
	buf_release(&texts->mounts);
	buf_release(&texts->network);
	buf_release(&texts->size);
}

static bool texts_failed(const struct texts *texts)
{
	return buf_failed(&texts->command) || buf_failed(&texts->labels) ||
	       buf_failed(&texts->mounts) || buf_failed(&texts->network) ||
	       buf_failed(&texts->size);
}

/* JSON has all fields: a size, which is looked up file by file, only for who asks for it. */
static bool wants_size(const struct ps *ps)
{
	bool json = ps->request.format && strcmp(ps->request.format, "json") == 0;

	return format_uses(ps->format, SIZE) && (ps->sizes || !json);
}

static const char *text_or_null(const struct buf *text)
{
	return text->len > 0 ? text->data : NULL;
}

/* Of one whose record comes from an earlier version. */
static void add_spec(struct ps *ps, const struct container_record *record, struct texts *texts,
		     const char **values)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	struct err ignored = ERR_INIT;

	if (lifecycle_load_spec(ps->store, record->id, &spec, &ignored) < 0)
		return;
	buf_reset(&texts->mounts);
	ps_add_mounts(&texts->mounts, &spec);
	values[MOUNTS] = text_or_null(&texts->mounts);
	buf_reset(&texts->network);
	ps_add_network(&texts->network, &spec);
	values[NETWORKS] = text_or_null(&texts->network);
}

/* What the record does not say as it is shown. */
static void add_details(struct ps *ps, const struct container_record *record, struct texts *texts,
			const char **values)
{
	if (format_uses(ps->format, LABELS) && record->labels) {
		buf_reset(&texts->labels);
		ps_add_labels(&texts->labels, record->labels);
		values[LABELS] = text_or_null(&texts->labels);
	}
	if (wants_size(ps)) {
		buf_reset(&texts->size);
		ps_add_size(&texts->size, ps->store, record);
		values[SIZE] = text_or_null(&texts->size);
	}
	if (record->mounts && record->network) {
		values[MOUNTS] = record->mounts[0] ? record->mounts : NULL;
		values[NETWORKS] = record->network;
	} else if (format_uses(ps->format, MOUNTS) || format_uses(ps->format, NETWORKS)) {
		add_spec(ps, record, texts, values);
	}
}

static void add_row(struct ps *ps, const struct container_record *record, struct texts *texts)
{
	char restarts[24];
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
		buf_reset(&texts->command);
		status_add_command(&texts->command, record->command);
		values[COMMAND] = texts->command.data;
	}
	if (record->health != HEALTH_NONE)
		values[HEALTH] = container_health_name(record->health);
	if (format_uses(ps->format, RESTARTS)) {
		human_number(record->restart_count, restarts);
		values[RESTARTS] = restarts;
	}
	values[PORTS] = "";
	add_details(ps, record, texts, values);
	values[CREATED_AT] = time_or_null(ps, CREATED_AT, record->created_ns, created);
	values[STARTED_AT] = time_or_null(ps, STARTED_AT, record->started_ns, started);
	values[FINISHED_AT] = time_or_null(ps, FINISHED_AT, record->finished_ns, finished);
	format_row(ps->format, values);
}

struct walk {
	struct ps *ps;
	struct texts texts;
	int64_t rows;
};

static int visit(const struct container_record *record, void *data, struct err *err)
{
	struct walk *walk = data;
	struct ps *ps = walk->ps;
	bool live = status_is_live(record->state);

	/* Whose monitor lives is as that has recorded it. */
	if (live && ps->first_pass && !liveness_seen(&ps->liveness, record) &&
	    keep_unseen(ps, record, err) < 0)
		return err_code(err);
	if ((!live && !ps->all) || walk->rows == ps->last || !filters_match(&ps->filters, record))
		return 0;
	walk->rows++;
	if (ps->sort.field)
		return ps_sort_add(&ps->sort, ps->store, record, err);
	add_row(ps, record, &walk->texts);
	return 0;
}

/* One that has gone meanwhile is left out. */
static int add_sorted(struct walk *walk, struct store *store, struct err *err)
{
	struct ps *ps = walk->ps;

	ps_sort_finish(&ps->sort);
	for (size_t i = 0; i < ps->sort.n; i++) {
		AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
		struct err one = ERR_INIT;

		if (container_find(store, ps_sort_id(&ps->sort, i), &record, &one) == 0)
			add_row(ps, &record, &walk->texts);
		else if (one.kind != ERR_NOT_FOUND) {
			*err = one;
			return err_code(err);
		}
	}
	ps_sort_reset(&ps->sort);
	return 0;
}

/* Whether the records need not be read whole. What filters and an order ask for is theirs. */
static bool is_brief(const struct ps *ps)
{
	static const enum field others[] = { IMAGE_ID, ERROR,  LABELS,	SIZE,
					     RESTARTS, MOUNTS, NETWORKS };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (format_uses(ps->format, others[i]))
			return false;
	return ps->filters.n == 0 && !ps->sort.field;
}

static int walk_records(struct ps *ps, struct store *store, struct err *err)
{
	struct walk walk = { .ps = ps };
	int rc = is_brief(ps) ? container_each_brief(store, !ps->all, visit, &walk, err) :
				container_each(store, visit, &walk, err);

	if (rc == 0)
		rc = add_sorted(&walk, store, err);
	if (rc == 0 && texts_failed(&walk.texts))
		rc = err_sys(err, ENOMEM, "cannot list the containers");
	texts_release(&walk.texts);
	return rc;
}

/* Whether it is not as the first pass has shown it, so that the rows are stale. */
static bool refresh(struct store *store, const struct unseen *unseen)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	struct err err = ERR_INIT;
	int rc = container_read(store, unseen->id, &record, &err);

	if (rc == 0)
		rc = lifecycle_refresh(store, &record, &err);
	if (rc == 0)
		return record.state != unseen->state;
	/* One that cannot be looked at is shown as recorded, and the list goes on. */
	if (err.kind != ERR_NOT_FOUND)
		log_warn("%s: %s", record.name ? record.name : unseen->id, err.text);
	return err.kind == ERR_NOT_FOUND;
}

static bool refresh_unseen(struct ps *ps, struct store *store)
{
	bool changed = false;

	for (size_t i = 0; i < ps->nunseen; i++)
		changed |= refresh(store, &ps->unseen[i]);
	return changed;
}

static int list(struct ps *ps, struct app *app, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;

	memcpy(ps->fields, fields, sizeof(fields));
	if (ps->sizes)
		ps->fields[SIZE].flags |= FORMAT_COLUMN;
	if (format_new(ps->fields, &ps->request, &ps->format, err) < 0 ||
	    store_open(app->root, &store, err) < 0 || filters_bind(&ps->filters, &store, err) < 0)
		return err_code(err);
	ps->store = &store;
	ps->now_ns = clock_now_ns();
	ps->first_pass = true;
	liveness_list_open(store.run_fd, &ps->liveness);
	if (walk_records(ps, &store, err) < 0)
		return err_code(err);
	if (refresh_unseen(ps, &store)) {
		ps->first_pass = false;
		format_reset(ps->format);
		if (walk_records(ps, &store, err) < 0)
			return err_code(err);
	}
	return format_print(ps->format, stdout, err);
}

static int take_option(struct ps *ps, const struct cmd_option *option, const char *value,
		       struct err *err)
{
	switch (option - option_table) {
	case OPT_ALL:
		ps->all = true;
		return 0;
	case OPT_FILTER:
		return filters_add(&ps->filters, value, err);
	case OPT_FORMAT:
		ps->request.format = value;
		return 0;
	case OPT_LAST:
		return option_int(option, value, -1, INT32_MAX, &ps->last, err);
	case OPT_LATEST:
		ps->last = 1;
		return 0;
	case OPT_NO_TRUNC:
		ps->request.no_trunc = true;
		return 0;
	case OPT_NOHEADING:
		ps->request.no_heading = true;
		return 0;
	case OPT_QUIET:
		ps->request.quiet = true;
		return 0;
	case OPT_SORT:
		return ps_sort_parse(value, &ps->sort, err);
	default:
		ps->sizes = true;
		return 0;
	}
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(ps_release))) struct ps ps = { .last = -1 };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_ps, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		if (take_option(&ps, option, value, err) < 0)
			return -1;
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
		return -1;
	/* As with Docker: the last ones, whatever became of them. */
	ps.all = ps.all || ps.last >= 0 || filters_ask_for_state(&ps.filters);
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
		"A template is text with {{.Field}}, {{json .}} and what else Go's have (see TEMPLATES "
		"in cman(1)); 'table' before it gives it headings, and columns at its tabs (\\t). "
		"Fields: ID Name Image PID "
		"Status Command RunningFor ImageID State ExitCode CreatedAt StartedAt FinishedAt "
		"Error Health Labels Mounts Networks Ports Size Restarts.\n\n"
		"Filters: id=PREFIX, name=REGEX, status=STATE, exited=STATUS, image=REFERENCE (or "
		"ancestor=), label=KEY[=VALUE], health=STATE, before=CONTAINER, since=CONTAINER, "
		"volume=NAME|DIRECTORY, network=NETWORK. Those of "
		"one key are alternatives, those of different keys must all hold.\n\n"
		"Sorted by: " PS_SORT_FIELDS ".",
	.options = option_table,
	.run = run,
};
