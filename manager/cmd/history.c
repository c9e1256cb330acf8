/* SPDX-License-Identifier: Apache-2.0 */
#include "image/history.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/names.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/format.h"
#include "manager/cmd/human.h"
#include "manager/cmd/logs_time.h"
#include "manager/cmd/options.h"
#include "manager/cmd/status.h"
#include "store/base/clock.h"
#include "store/store.h"

#define SHORT_ID_LEN 12

enum field {
	LAYER,
	CREATED,
	CREATED_BY,
	SIZE,
	COMMENT,
	CREATED_AT,
	AUTHOR,
	BYTES,
	NFIELDS,
};

static const struct format_field fields[] = {
	[LAYER] = { "Layer", "LAYER", FORMAT_COLUMN },
	[CREATED] = { "CreatedSince", "CREATED", FORMAT_COLUMN },
	[CREATED_BY] = { "CreatedBy", "CREATED BY", FORMAT_COLUMN | FORMAT_CUT | FORMAT_LONG },
	[SIZE] = { "Size", "SIZE", FORMAT_COLUMN },
	[COMMENT] = { "Comment", "COMMENT", FORMAT_COLUMN | FORMAT_CUT },
	[CREATED_AT] = { "CreatedAt", "CREATED AT", 0 },
	[AUTHOR] = { "Author", "AUTHOR", 0 },
	[BYTES] = { "Bytes", "BYTES", FORMAT_RAW },
	[NFIELDS] = { NULL, NULL, 0 },
};

/* "2 weeks ago"; NULL where no time is told, or none that can be read. */
static const char *since(const char *created, int64_t now_ns, char out[HUMAN_MAX + 8])
{
	static const struct cmd_option none = { 0, "created", "TIME", NULL };
	struct err ignored = ERR_INIT;
	int64_t at;

	if (!created || !strchr(created, 'T') ||
	    logs_time_parse(&none, created, now_ns, &at, &ignored) < 0)
		return NULL;
	return status_ago(now_ns - at, out);
}

static void add_row(struct format *format, const struct history_step *step, int64_t now_ns)
{
	char layer[DIGEST_HEX_LEN + 1], ago[HUMAN_MAX + 8], size[HUMAN_MAX], bytes[24];
	int64_t len = step->layer ? step->layer->size : 0;
	const char *values[NFIELDS] = { 0 };

	if (step->layer) {
		memcpy(layer, step->layer->diff_id, sizeof(layer));
		if (!format_wants_full(format))
			layer[SHORT_ID_LEN] = '\0';
		values[LAYER] = layer;
	}
	human_size(len, size);
	snprintf(bytes, sizeof(bytes), "%lld", (long long)len);
	values[CREATED] = since(step->created, now_ns, ago);
	values[CREATED_BY] = step->created_by;
	values[SIZE] = size;
	values[COMMENT] = step->comment;
	values[CREATED_AT] = step->created;
	values[AUTHOR] = step->author;
	values[BYTES] = bytes;
	format_row(format, values);
}

static int print_history(struct app *app, const struct format_request *request, const char *word,
			 struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_FORMAT struct format *format = NULL;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_HISTORY struct history history = HISTORY_INIT;
	int64_t now_ns = clock_now_ns();

	if (format_new(fields, request, &format, err) < 0 ||
	    store_open(app->root, &store, err) < 0 || image_lookup(&store, word, &image, err) < 0)
		return -1;
	if (history_read(&store, &image, &history, err) < 0)
		return err_wrap(err, "%s", word), -1;
	for (size_t i = history.nsteps; i > 0; i--) {
		const struct history_step *step = &history.steps[i - 1];

		/* With -q the layers alone: a step without one has nothing to print. */
		if (step->layer || !request->quiet)
			add_row(format, step, now_ns);
	}
	return format_print(format, stdout, err) < 0 ? -1 : 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct format_request request = { 0 };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_history, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 'q')
			request.quiet = true;
		else if (strcmp(option->name, "format") == 0)
			request.format = value;
		else
			request.no_trunc = true;
	}
	if (rc < 0 || options_operands(&parse, 1, 1, err) < 0)
		return -1;
	request.width = format_terminal_width(STDOUT_FILENO);
	return print_history(app, &request, argv[parse.next], err);
}

const struct cmd cmd_history = {
	.name = "history",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] IMAGE",
	.summary = "show the steps that an image was made by",
	.details = "The newest step comes first. Not every step made a layer.\n\n"
		   "A template is as for 'cman images'. Fields: Layer CreatedSince CreatedBy Size "
		   "Comment CreatedAt Author Bytes.",
	.options =
		(const struct cmd_option[]){
			{ 0, "format", "FORMAT", "json, 'table TEMPLATE', or a template" },
			{ 0, "no-trunc", NULL, "cut nothing, and show whole IDs" },
			{ 'q', "quiet", NULL, "only the layers' IDs" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
