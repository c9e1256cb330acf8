/* SPDX-License-Identifier: Apache-2.0 */
/* volume ls, volume inspect. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/describe.h"
#include "manager/cmd/format.h"
#include "manager/cmd/human.h"
#include "manager/cmd/inspect_print.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "manager/cmd/status.h"
#include "manager/cmd/volume_filter.h"
#include "manager/tree_size.h"
#include "manager/volume_options.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/volumes.h"

/* --- ls --- */

enum field {
	NAME,
	DRIVER,
	CREATED,
	CONTAINERS,
	LINKS,
	ANONYMOUS,
	CREATED_AT,
	MOUNTPOINT,
	LABELS,
	SIZE,
	BYTES,
	SCOPE,
	NFIELDS,
};

static const struct format_field fields[] = {
	[NAME] = { "Name", "VOLUME NAME", FORMAT_COLUMN },
	[DRIVER] = { "Driver", "DRIVER", 0 },
	[CREATED] = { "CreatedSince", "CREATED", FORMAT_COLUMN },
	[CONTAINERS] = { "Containers", "CONTAINERS", FORMAT_COLUMN | FORMAT_RAW },
	[LINKS] = { "Links", "LINKS", FORMAT_ALIAS },
	[ANONYMOUS] = { "Anonymous", "ANONYMOUS", FORMAT_RAW },
	[CREATED_AT] = { "CreatedAt", "CREATED AT", 0 },
	[MOUNTPOINT] = { "Mountpoint", "MOUNTPOINT", 0 },
	[LABELS] = { "Labels", "LABELS", FORMAT_RAW },
	[SIZE] = { "Size", "SIZE", 0 },
	[BYTES] = { "Bytes", "BYTES", FORMAT_RAW },
	[SCOPE] = { "Scope", "SCOPE", 0 },
	[NFIELDS] = { NULL, NULL, 0 },
};

struct list {
	struct format_request request;
	struct volume_filters filters;
	struct store *store;
	struct format *format;
	int64_t now_ns;
};

/* Only where it is asked for: it takes a look at every file. */
static int measure(const struct list *list, const char *name, char size[HUMAN_MAX], char bytes[24],
		   struct err *err)
{
	AUTO_CLOSE int dir_fd = -1;
	int64_t sum = 0;
	int rc;

	if (!format_uses(list->format, SIZE) && !format_uses(list->format, BYTES))
		return 0;
	rc = volume_dir_open(list->store, name, &dir_fd, err);
	if (rc == 0)
		rc = tree_size(dir_fd, &sum, err);
	human_size(sum, size);
	human_number(sum, bytes);
	return rc < 0 ? err_wrap(err, "volume %s", name) : 0;
}

static int visit(const struct volume_record *record, void *data, struct err *err)
{
	const struct list *list = data;
	char since[HUMAN_MAX + 8], at[HUMAN_MAX], size[HUMAN_MAX] = "", containers[24],
						  bytes[24] = "0";
	AUTO_FREE char *path = NULL;
	const char *values[NFIELDS] = { 0 };
	int rc;

	if (!volume_filters_match(&list->filters, record))
		return 0;
	rc = volume_options_device(record->options, &path, err);
	if (rc == 0 && !path)
		rc = volume_data_path(list->store, record->name, &path, err);
	if (rc == 0)
		rc = measure(list, record->name, size, bytes, err);
	if (rc < 0)
		return rc;
	human_number(record->containers, containers);
	human_time(record->created_ns, at);
	values[NAME] = record->name;
	values[DRIVER] = values[SCOPE] = "local";
	values[CREATED] = status_ago(list->now_ns - record->created_ns, since);
	values[CONTAINERS] = values[LINKS] = containers;
	values[ANONYMOUS] = record->anonymous ? "true" : "false";
	values[CREATED_AT] = at;
	values[MOUNTPOINT] = path;
	values[LABELS] = record->labels ? record->labels : "{}";
	values[SIZE] = size;
	values[BYTES] = bytes;
	format_row(list->format, values);
	return 0;
}

static int print_list(struct app *app, struct list *list, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_FORMAT struct format *format = NULL;

	if (format_new(fields, &list->request, &format, err) < 0 ||
	    store_open(app->root, &store, err) < 0)
		return -1;
	list->format = format;
	list->store = &store;
	if (volume_each(&store, visit, list, err) < 0)
		return -1;
	return format_print(format, stdout, err) < 0 ? -1 : 0;
}

static int run_ls(struct app *app, int argc, char **argv, struct err *err)
{
	struct list list = { .now_ns = clock_now_ns() };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_volume_ls, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 'q')
			list.request.quiet = true;
		else if (strcmp(option->name, "format") == 0)
			list.request.format = value;
		else if (volume_filters_add(&list.filters, value, err) < 0)
			break;
	}
	if (rc == 0)
		rc = options_operands(&parse, 0, 0, err);
	else
		rc = -1;
	list.request.width = format_terminal_width(STDOUT_FILENO);
	if (rc == 0)
		rc = print_list(app, &list, err);
	volume_filters_release(&list.filters);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_volume_ls = {
	.name = "volume ls",
	.group = CMD_GROUP_VOLUMES,
	.operands = "[OPTIONS]",
	.summary = "list volumes",
	.details =
		"Filters are dangling=true|false (that no container has), driver=local, "
		"label=KEY[=VALUE], label!=KEY[=VALUE] and name=REGEX.\n\n"
		"A template is text with {{.Field}}, {{json .}} and what else Go's have (see TEMPLATES "
		"in cman(1)); 'table' before it gives it headings, and columns at its tabs (\\t). "
		"Fields: Name Driver "
		"CreatedSince Containers Links Anonymous CreatedAt Mountpoint Labels Size Bytes "
		"Scope.",
	.options =
		(const struct cmd_option[]){
			{ 'f', "filter", "KEY=VALUE", "only those that match" },
			{ 0, "format", "FORMAT", "json, 'table TEMPLATE', or a template" },
			{ 'q', "quiet", NULL, "only the names" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run_ls,
};

/* --- inspect --- */

static int find(struct store *store, const char *name, json_t *found, struct err *err)
{
	AUTO_VOLUME_RECORD struct volume_record record = VOLUME_RECORD_INIT;
	json_t *object = NULL;
	int rc = volume_find(store, name, &record, err);

	if (rc == 0)
		rc = describe_volume(store, &record, &object, err);
	if (rc == 0 && json_array_append_new(found, object) < 0)
		rc = err_sys(err, ENOMEM, "cannot keep what was found");
	return rc;
}

static int run_inspect(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_INSPECT_FORMAT struct inspect_format format = INSPECT_FORMAT_INIT;
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_JSON json_t *found = json_array();
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc, status = 0;

	options_begin(&parse, &cmd_volume_inspect, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		if (inspect_format_set(&format, value, err) < 0)
			return -1;
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0 ||
	    store_open(app->root, &store, err) < 0)
		return -1;
	for (int i = parse.next; i < argc; i++) {
		struct err one = ERR_INIT;

		if (find(&store, argv[i], found, &one) < 0) {
			report_error(&one);
			status = EXIT_CMAN;
		}
	}
	rc = inspect_print(&format, found, err);
	return rc != 0 ? rc : status;
}

const struct cmd cmd_volume_inspect = {
	.name = "volume inspect",
	.group = CMD_GROUP_VOLUMES,
	.operands = "[OPTIONS] VOLUME...",
	.summary = "print all that is known of volumes, as JSON",
	.details =
		"A template is text with {{.Field.Below}}, {{json .Field}}, {{range .List}} and what "
		"else Go's have (see TEMPLATES in cman(1)), and is printed in a line for each.",
	.options =
		(const struct cmd_option[]){
			{ 'f', "format", "FORMAT",
			  "json, or a template such as '{{.Mountpoint}}'" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run_inspect,
};
