/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/format.h"
#include "manager/cmd/human.h"
#include "manager/cmd/options.h"
#include "manager/cmd/status.h"
#include "store/base/clock.h"
#include "store/images.h"
#include "store/store.h"

#define SHORT_ID_LEN 12

enum field {
	ID,
	NAME,
	CREATED,
	SIZE,
	REPOSITORY,
	TAG,
	CREATED_AT,
	BYTES,
	SOURCE,
	DIGEST,
	NFIELDS,
};

static const struct format_field fields[] = {
	[ID] = { "ID", "IMAGE ID", FORMAT_COLUMN },
	[NAME] = { "Name", "NAME", FORMAT_COLUMN | FORMAT_CUT },
	[CREATED] = { "CreatedSince", "CREATED", FORMAT_COLUMN },
	[SIZE] = { "Size", "SIZE", FORMAT_COLUMN },
	[REPOSITORY] = { "Repository", "REPOSITORY", 0 },
	[TAG] = { "Tag", "TAG", 0 },
	[CREATED_AT] = { "CreatedAt", "CREATED AT", 0 },
	[BYTES] = { "Bytes", "BYTES", FORMAT_RAW },
	[SOURCE] = { "Source", "SOURCE", FORMAT_CUT },
	[DIGEST] = { "Digest", "DIGEST", 0 },
	[NFIELDS] = { NULL, NULL, 0 },
};

struct list {
	struct format *format;
	const char *only; /* a name, with or without its tag; NULL: all */
	bool ids;	  /* one row an image, not one a name */
	int64_t now_ns;
};

/* Where the tag of a name begins: after the last colon, unless that is before a port. */
static const char *tag_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *colon = strrchr(slash ? slash : name, ':');

	return colon && !strchr(name, '@') ? colon + 1 : NULL;
}

static bool is_wanted(const struct list *list, const char *name)
{
	size_t len;

	if (!list->only)
		return true;
	if (!name)
		return false;
	len = strlen(list->only);
	return strncmp(name, list->only, len) == 0 &&
	       (name[len] == '\0' || (name[len] == ':' && tag_of(name) == name + len + 1));
}

static void add_row(struct list *list, const struct image_record *image, const char *name)
{
	char id[DIGEST_HEX_LEN + 1], repository[512], since[HUMAN_MAX + 8], at[HUMAN_MAX];
	char size[HUMAN_MAX], bytes[24];
	const char *tag = name ? tag_of(name) : NULL;
	const char *values[NFIELDS] = { 0 };

	memcpy(id, image->id, sizeof(id));
	if (!format_wants_full(list->format))
		id[SHORT_ID_LEN] = '\0';
	human_time(image->created_ns, at);
	human_size(image->size, size);
	snprintf(bytes, sizeof(bytes), "%lld", (long long)image->size);
	values[ID] = id;
	values[NAME] = name;
	values[CREATED] = status_ago(list->now_ns - image->created_ns, since);
	values[SIZE] = size;
	if (name) {
		snprintf(repository, sizeof(repository), "%.*s",
			 tag ? (int)(tag - name - 1) : (int)strlen(name), name);
		values[REPOSITORY] = repository;
	}
	values[TAG] = tag;
	values[CREATED_AT] = at;
	values[BYTES] = bytes;
	values[SOURCE] = image->source;
	values[DIGEST] = image->source_digest;
	format_row(list->format, values);
}

static int visit(const struct image_record *image, void *data, struct err *err)
{
	struct list *list = data;
	bool shown = false;

	(void)err;
	for (size_t i = 0; i < image->nnames && !(shown && list->ids); i++)
		if (is_wanted(list, image->names[i].name)) {
			add_row(list, image, image->names[i].name);
			shown = true;
		}
	if (image->nnames == 0 && is_wanted(list, NULL))
		add_row(list, image, NULL);
	return 0;
}

static int print_list(struct app *app, const struct format_request *request, const char *only,
		      struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_FORMAT struct format *format = NULL;
	struct list list = { .only = only, .ids = request->quiet, .now_ns = clock_now_ns() };

	if (format_new(fields, request, &format, err) < 0 || store_open(app->root, &store, err) < 0)
		return -1;
	list.format = format;
	if (image_each(&store, visit, &list, err) < 0)
		return -1;
	return format_print(format, stdout, err) < 0 ? -1 : 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct format_request request = { 0 };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_images, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 'q')
			request.quiet = true;
		else if (strcmp(option->name, "format") == 0)
			request.format = value;
		else
			request.no_trunc = true;
	}
	if (rc < 0 || options_operands(&parse, 0, 1, err) < 0)
		return -1;
	request.width = format_terminal_width(STDOUT_FILENO);
	return print_list(app, &request, parse.next < argc ? argv[parse.next] : NULL, err);
}

const struct cmd cmd_images = {
	.name = "images",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] [NAME[:TAG]]",
	.summary = "list images",
	.details =
		"One line for each name of an image, or only for those called NAME.\n\n"
		"A template is text with {{.Field}}, {{json .Field}} or {{json .}}; 'table' before "
		"it gives it headings and columns at its tabs (\\t). Fields: ID Name CreatedSince "
		"Size Repository Tag CreatedAt Bytes Source Digest.",
	.options =
		(const struct cmd_option[]){
			{ 0, "format", "FORMAT", "json, 'table TEMPLATE', or a template" },
			{ 0, "no-trunc", NULL, "cut nothing, and show whole IDs" },
			{ 'q', "quiet", NULL, "only the IDs" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
