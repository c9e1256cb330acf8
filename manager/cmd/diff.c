/* SPDX-License-Identifier: Apache-2.0 */
/* diff: what a container has changed in its image's files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/changes.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/format.h"
#include "manager/cmd/options.h"
#include "manager/container_tree.h"
#include "manager/lifecycle.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

#define DEFAULT_FORMAT "{{.Kind}} {{.Path}}"
#define ROWS_AT_ONCE 1000 /* are kept in memory, but for a table, whose columns all rows make */

static const struct format_field fields[] = {
	{ "Kind", "KIND", FORMAT_COLUMN },
	{ "Path", "PATH", FORMAT_COLUMN | FORMAT_CUT },
	{ NULL, NULL, 0 },
};

struct diff {
	struct format *format;
	char **targets; /* places that cman made to mount on, sorted */
	bool is_table;
	int rows;
};

static bool is_target(const struct diff *diff, const char *path)
{
	for (char *const *target = diff->targets; target && *target; target++)
		if (strcmp(path, *target) == 0)
			return true;
	return false;
}

static int on_change(enum change_kind kind, const char *path, void *data, struct err *err)
{
	struct diff *diff = data;
	AUTO_FREE char *absolute = NULL;
	const char *values[] = { (const char[]){ (char)kind, '\0' }, NULL };

	if (is_target(diff, path))
		return 0;
	if (asprintf(&absolute, "/%s", path) < 0) {
		absolute = NULL;
		return err_sys(err, ENOMEM, "cannot list changes");
	}
	values[1] = absolute;
	format_row(diff->format, values);
	if (diff->is_table || ++diff->rows < ROWS_AT_ONCE)
		return 0;
	diff->rows = 0;
	if (format_print(diff->format, stdout, err) < 0)
		return err_code(err);
	format_reset(diff->format);
	return 0;
}

static void diff_release(struct diff *diff)
{
	format_release(&diff->format);
	strv_free(diff->targets);
}

static int print_changes(struct diff *diff, const struct spec *spec, struct err *err)
{
	const struct changes_visitor visitor = { .change = on_change, .data = diff };
	AUTO_CLOSE int upper = -1;
	AUTO_CLOSE int below = -1;
	int rc = container_tree_upper(spec, &upper, err);

	if (rc == 0)
		rc = container_tree_below(spec, &below, err);
	if (rc == 0)
		rc = container_tree_targets(spec, upper, below, &diff->targets, err);
	if (rc == 0)
		rc = changes_walk(upper, below, &visitor, err);
	return rc == 0 ? format_print(diff->format, stdout, err) : rc;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(diff_release))) struct diff diff = { 0 };
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	struct format_request request = { .format = DEFAULT_FORMAT, .no_trunc = true };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_diff, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		request.format = value;
	if (rc < 0 || options_operands(&parse, 1, 1, err) < 0 ||
	    format_new(fields, &request, &diff.format, err) < 0)
		return -1;
	diff.is_table = strncmp(request.format, "table", strlen("table")) == 0;
	rc = store_open(app->root, &store, err);
	if (rc == 0)
		rc = lifecycle_find(&store, argv[parse.next], &record, err);
	if (rc == 0)
		rc = lifecycle_load_spec(&store, record.id, &spec, err);
	if (rc == 0 && print_changes(&diff, &spec, err) < 0)
		rc = err_wrap(err, "%s", record.name);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_diff = {
	.name = "diff",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER",
	.summary = "list what a container has changed in its image's files",
	.details =
		"A line each: A what was added, C what was changed, D what was deleted. A directory is "
		"changed when it is itself so (mode, owner, time, attributes), which it is when a name "
		"in it came or went. What is mounted in the container, such as volumes, does not count.",
	.options =
		(const struct cmd_option[]){
			{ 0, "format", "FORMAT",
			  "json, table, or a template: {{.Kind}} {{.Path}}" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
