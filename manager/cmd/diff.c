/* SPDX-License-Identifier: Apache-2.0 */
/* diff: what a container has changed in its image's files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/changes.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/format.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "manager/container_tree.h"
#include "manager/lifecycle.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

#define ONE_FORMAT "{{.Kind}} {{.Path}}"
#define SEVERAL_FORMAT "{{.Container}}: {{.Kind}} {{.Path}}"
#define ROWS_AT_ONCE 1000 /* are kept in memory, but for a table, whose columns all rows make */

enum field { KIND, PATH, CONTAINER, NFIELDS };

static const struct format_field fields[] = {
	[KIND] = { "Kind", "KIND", FORMAT_COLUMN },
	[PATH] = { "Path", "PATH", FORMAT_COLUMN | FORMAT_CUT },
	[CONTAINER] = { "Container", "CONTAINER", FORMAT_CUT },
	[NFIELDS] = { NULL, NULL, 0 },
};

struct diff {
	struct format_field fields[NFIELDS + 1];
	struct format *format;
	const char *container; /* the one that is looked at */
	char **targets;	       /* places that cman made to mount on, sorted */
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

static int print_rows(struct diff *diff, struct err *err)
{
	int rc = format_print(diff->format, stdout, err);

	if (rc == 0)
		format_reset(diff->format);
	return rc;
}

static int on_change(enum change_kind kind, const char *path, void *data, struct err *err)
{
	struct diff *diff = data;
	AUTO_FREE char *absolute = NULL;
	const char *values[NFIELDS] = {
		[KIND] = (const char[]){ (char)kind, '\0' },
		[CONTAINER] = diff->container,
	};

	if (is_target(diff, path))
		return 0;
	if (asprintf(&absolute, "/%s", path) < 0) {
		absolute = NULL;
		return err_sys(err, ENOMEM, "cannot list changes");
	}
	values[PATH] = absolute;
	format_row(diff->format, values);
	if (diff->is_table || ++diff->rows < ROWS_AT_ONCE)
		return 0;
	diff->rows = 0;
	return print_rows(diff, err);
}

static void diff_release(struct diff *diff)
{
	format_release(&diff->format);
	strv_free(diff->targets);
}

static int walk(struct diff *diff, const struct spec *spec, struct err *err)
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
	return rc == 0 && !diff->is_table ? print_rows(diff, err) : rc;
}

static int look_at(struct store *store, const char *name, struct diff *diff, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	int rc = lifecycle_find(store, name, &record, err);

	if (rc == 0)
		rc = lifecycle_load_spec(store, record.id, &spec, err);
	if (rc < 0)
		return rc;
	diff->container = record.name;
	rc = walk(diff, &spec, err);
	diff->container = NULL;
	strv_free(diff->targets);
	diff->targets = NULL;
	return rc < 0 ? err_wrap(err, "%s", record.name) : 0;
}

/* Returns the exit status. */
static int look_at_all(struct app *app, struct diff *diff, char *const *names, int n,
		       struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	int status = 0;

	if (store_open(app->root, &store, err) < 0)
		return err_code(err);
	for (int i = 0; i < n; i++) {
		struct err one = ERR_INIT;

		if (look_at(&store, names[i], diff, &one) == 0)
			continue;
		fflush(stdout); /* what was found goes before what is said of it */
		report_error(&one);
		status = EXIT_CMAN;
	}
	if (diff->is_table && (status == 0 || n > 1) && print_rows(diff, err) < 0)
		return err_code(err);
	return status;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(diff_release))) struct diff diff = { 0 };
	struct format_request request = { .no_trunc = true };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int n, rc;

	options_begin(&parse, &cmd_diff, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		request.format = value;
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0)
		return -1;
	n = argc - parse.next;
	memcpy(diff.fields, fields, sizeof(fields));
	if (n > 1)
		diff.fields[CONTAINER].flags |= FORMAT_COLUMN;
	if (!request.format)
		request.format = n > 1 ? SEVERAL_FORMAT : ONE_FORMAT;
	if (format_new(diff.fields, &request, &diff.format, err) < 0)
		return -1;
	diff.is_table = begins_with(request.format, "table");
	return look_at_all(app, &diff, argv + parse.next, n, err);
}

const struct cmd cmd_diff = {
	.name = "diff",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER...",
	.summary = "list what containers have changed in their images' files",
	.details =
		"A line each: A what was added, C what was changed, D what was deleted. A directory is "
		"changed when it is itself so (mode, owner, time, attributes), which it is when a name "
		"in it came or went. What is mounted in the container, such as volumes, does not count. "
		"Of several containers, each line begins with the name of its own.",
	.options =
		(const struct cmd_option[]){
			{ 0, "format", "FORMAT",
			  "json, table, or a template: {{.Kind}} {{.Path}} {{.Container}}" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
