/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/names.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/format.h"
#include "manager/cmd/human.h"
#include "manager/cmd/image_filter.h"
#include "manager/cmd/options.h"
#include "manager/cmd/status.h"
#include "store/base/clock.h"
#include "store/images.h"
#include "store/store.h"

#define SHORT_ID_LEN 12
#define REPOSITORY_MAX 512

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

/* The table of --digests. */
static const char with_digests[] =
	"table {{.ID}}\\t{{.Name}}\\t{{.Digest}}\\t{{.CreatedSince}}\\t{{.Size}}";

struct list {
	struct format_request request;
	struct image_filters filters;
	const char *only; /* a name, with or without its tag; NULL: all */
	char *in_full;	  /* what it means, as the names of registries are kept; NULL */
	struct store *store;
	struct format *format;
	char last[DIGEST_HEX_LEN + 1]; /* the image of the row before */
	int64_t now_ns;
};

/* Where the tag of a name begins: after the last colon, unless that is before a port. */
static const char *tag_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *colon = strrchr(slash ? slash : name, ':');

	return colon && !strchr(name, '@') ? colon + 1 : NULL;
}

static bool is_called(const char *name, const char *word)
{
	size_t len = strlen(word);

	return strncmp(name, word, len) == 0 &&
	       (name[len] == '\0' || (name[len] == ':' && tag_of(name) == name + len + 1));
}

static bool is_wanted(const struct list *list, const char *name)
{
	if (!list->only)
		return true;
	return name &&
	       (is_called(name, list->only) || (list->in_full && is_called(name, list->in_full)));
}

/* The two that a name consists of. */
static void split_name(const char *name, char repository[REPOSITORY_MAX], const char **tag)
{
	size_t len;

	*tag = tag_of(name);
	len = *tag ? (size_t)(*tag - name - 1) : strcspn(name, "@");
	if (len >= REPOSITORY_MAX)
		len = REPOSITORY_MAX - 1;
	memcpy(repository, name, len);
	repository[len] = '\0';
}

static void add_row(const struct list *list, const struct image_row *row)
{
	char id[DIGEST_HEX_LEN + 1], repository[REPOSITORY_MAX], since[HUMAN_MAX + 8],
		at[HUMAN_MAX];
	char size[HUMAN_MAX], bytes[24];
	const char *values[NFIELDS] = { 0 };

	memcpy(id, row->id, sizeof(id));
	if (!format_wants_full(list->format))
		id[SHORT_ID_LEN] = '\0';
	values[ID] = id;
	values[NAME] = row->name;
	if (format_uses(list->format, CREATED))
		values[CREATED] = status_ago(list->now_ns - row->created_ns, since);
	if (format_uses(list->format, SIZE)) {
		human_size(row->size, size);
		values[SIZE] = size;
	}
	if (row->name &&
	    (format_uses(list->format, REPOSITORY) || format_uses(list->format, TAG))) {
		split_name(row->name, repository, &values[TAG]);
		values[REPOSITORY] = repository;
	}
	if (format_uses(list->format, CREATED_AT)) {
		human_time(row->created_ns, at);
		values[CREATED_AT] = at;
	}
	if (format_uses(list->format, BYTES)) {
		human_number(row->size, bytes);
		values[BYTES] = bytes;
	}
	values[SOURCE] = row->source;
	values[DIGEST] = row->digest ? row->digest : row->source_digest;
	format_row(list->format, values);
}

static int visit(const struct image_row *row, void *data, struct err *err)
{
	struct list *list = data;
	bool match = is_wanted(list, row->name);
	int r = 0;

	/* IDs alone are one row an image, and not one a name. */
	if (list->request.quiet && strcmp(list->last, row->id) == 0)
		return 0;
	if (match && list->filters.n > 0)
		r = image_filters_match(&list->filters, list->store, row, &match, err);
	if (r < 0 || !match)
		return r;
	memcpy(list->last, row->id, sizeof(list->last));
	add_row(list, row);
	return 0;
}

/* "nginx" is docker.io/library/nginx as well; a tag counts only where one was written. */
static void complete_name(struct list *list)
{
	AUTO_REF struct ref ref = REF_INIT;
	struct err ignored = ERR_INIT;

	if (!list->only || name_qualify(list->only, &ref, &ignored) < 0)
		return;
	/* It adds a tag where there is none. */
	(void)ref_format_as(&ref, tag_of(list->only) ? ref.tag : NULL, ref.digest, &list->in_full,
			    &ignored);
}

static int print_list(struct app *app, struct list *list, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_FORMAT struct format *format = NULL;
	bool brief;

	if (format_new(fields, &list->request, &format, err) < 0 ||
	    store_open(app->root, &store, err) < 0 ||
	    image_filters_prepare(&list->filters, &store, err) < 0)
		return -1;
	list->format = format;
	list->store = &store;
	complete_name(list);
	brief = !format_uses(format, SOURCE) && !format_uses(format, DIGEST);
	if ((brief ? image_list_brief : image_list)(&store, visit, list, err) < 0)
		return -1;
	return format_print(format, stdout, err) < 0 ? -1 : 0;
}

static int parse(int argc, char **argv, struct list *list, struct err *err)
{
	const struct cmd_option *option;
	struct option_parse parse;
	bool digests = false;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_images, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 'q')
			list->request.quiet = true;
		else if (strcmp(option->name, "digests") == 0)
			digests = true;
		else if (strcmp(option->name, "format") == 0)
			list->request.format = value;
		else if (strcmp(option->name, "no-trunc") == 0)
			list->request.no_trunc = true;
		else if (option->letter == 'f' &&
			 image_filters_add(&list->filters, option, value, list->now_ns, err) < 0)
			return -1;
	}
	if (rc < 0 || options_operands(&parse, 0, 1, err) < 0)
		return -1;
	list->only = parse.next < argc ? argv[parse.next] : NULL;
	if (digests && !list->request.format)
		list->request.format = with_digests;
	list->request.width = format_terminal_width(STDOUT_FILENO);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct list list = { .now_ns = clock_now_ns() };
	int rc = parse(argc, argv, &list, err);

	if (rc == 0)
		rc = print_list(app, &list, err);
	image_filters_release(&list.filters);
	free(list.in_full);
	return rc;
}

const struct cmd cmd_images = {
	.name = "images",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] [NAME[:TAG]]",
	.summary = "list images",
	.details =
		"One line for each name of an image, or only for those called NAME.\n\n"
		"Filters are dangling=true|false, reference=PATTERN, label=KEY[=VALUE], "
		"before=IMAGE, since=IMAGE and until=TIME. Those of one key are alternatives, those "
		"of several must all hold.\n\n"
		"A template is text with {{.Field}}, {{json .}} and what else Go's have (see TEMPLATES "
		"in cman(1)); 'table' before it gives it headings, and columns at its tabs (\\t). "
		"Fields: ID Name CreatedSince "
		"Size Repository Tag CreatedAt Bytes Source Digest.",
	.options =
		(const struct cmd_option[]){
			{ 'a', "all", NULL, "all images: none is ever left out" },
			{ 0, "digests", NULL, "show what registries call them" },
			{ 'f', "filter", "KEY=VALUE", "only those that match" },
			{ 0, "format", "FORMAT", "json, 'table TEMPLATE', or a template" },
			{ 0, "no-trunc", NULL, "cut nothing, and show whole IDs" },
			{ 'q', "quiet", NULL, "only the IDs" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
