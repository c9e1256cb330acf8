/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect: all that is known of containers, images and volumes, as a JSON array or through a
 * template.
 */
#include <errno.h>
#include <string.h>

#include "image/document.h"
#include "image/names.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/describe.h"
#include "manager/cmd/inspect_print.h"
#include "manager/cmd/options.h"
#include "manager/cmd/ps_details.h"
#include "manager/cmd/report.h"
#include "manager/lifecycle.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/images.h"
#include "store/json.h"

enum type { TYPE_ANY, TYPE_CONTAINER, TYPE_IMAGE, TYPE_VOLUME };

struct inspect {
	enum type type;
	bool size;
	struct inspect_format format;
};

static int add_sizes(struct store *store, const struct container_record *record, json_t *object,
		     struct err *err)
{
	int64_t written, all;
	bool known = ps_sizes(store, record, &written, &all);

	if (json_object_set_new(object, "SizeRw", known ? json_integer(written) : json_null()) <
		    0 ||
	    json_object_set_new(object, "SizeRootFs",
				known && all >= 0 ? json_integer(all) : json_null()) < 0)
		return err_sys(err, ENOMEM, "cannot describe what was found");
	return 0;
}

static int find_container(struct store *store, const char *name, bool size, json_t **out,
			  struct err *err)
{
	AUTO_JSON json_t *object = NULL;
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;

	if (lifecycle_find(store, name, &record, err) < 0)
		return err_code(err);
	if (describe_container(store, &record, &object, err) < 0 ||
	    (size && add_sizes(store, &record, object, err) < 0))
		return err_code(err);
	*out = STEAL_PTR(object);
	return 0;
}

static int find_image(struct store *store, const char *word, json_t **out, struct err *err)
{
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	AUTO_IMAGE_RECORD struct image_record record = IMAGE_RECORD_INIT;
	AUTO_FREE char *name = NULL;
	AUTO_JSON json_t *document = NULL;
	struct err missing = ERR_INIT, damaged = ERR_INIT;
	bool has_manifest;

	if (image_lookup_name(store, word, &name, err) < 0 ||
	    image_find(store, name, &record, err) < 0)
		return err_code(err);
	/* Images of old versions of cman have none. */
	has_manifest = image_manifest_get(store, name, &manifest, &missing) == 0;
	if (image_document_json(store, record.id, &document, &damaged) < 0)
		log_warn("%s", damaged.text);
	return describe_image(&record, has_manifest ? &manifest : NULL, document, out, err);
}

static int find_volume(struct store *store, const char *name, json_t **out, struct err *err)
{
	AUTO_VOLUME_RECORD struct volume_record record = VOLUME_RECORD_INIT;

	if (volume_find(store, name, &record, err) < 0)
		return err_code(err);
	return describe_volume(store, &record, out, err);
}

static int find(struct store *store, const struct inspect *inspect, const char *name, json_t **out,
		struct err *err)
{
	const enum type type = inspect->type;
	int rc;

	if (type == TYPE_IMAGE)
		return find_image(store, name, out, err);
	if (type == TYPE_VOLUME)
		return find_volume(store, name, out, err);
	rc = find_container(store, name, inspect->size, out, err);
	if (rc == 0 || type == TYPE_CONTAINER || err->kind != ERR_NOT_FOUND)
		return rc;
	rc = find_image(store, name, out, err);
	if (rc == 0 || err->kind != ERR_NOT_FOUND)
		return rc;
	rc = find_volume(store, name, out, err);
	if (rc < 0 && err->kind == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "no such container, image or volume: %s",
			       name);
	return rc;
}

static int inspect_all(struct app *app, const struct inspect *inspect, char *const *names, int n,
		       struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_JSON json_t *found = json_array();
	int status = 0;

	if (store_open(app->root, &store, err) < 0)
		return err_code(err);
	for (int i = 0; i < n; i++) {
		struct err one = ERR_INIT;
		json_t *object = NULL;

		if (find(&store, inspect, names[i], &object, &one) < 0) {
			report_error(&one);
			status = EXIT_CMAN;
		} else if (json_array_append_new(found, object) < 0) {
			return err_sys(err, ENOMEM, "cannot keep what was found");
		}
	}

	int printed = inspect_print(&inspect->format, found, err);

	return printed != 0 ? printed : status;
}

static int set_type(struct inspect *inspect, const char *value, struct err *err)
{
	if (strcmp(value, "container") == 0)
		inspect->type = TYPE_CONTAINER;
	else if (strcmp(value, "image") == 0)
		inspect->type = TYPE_IMAGE;
	else if (strcmp(value, "volume") == 0)
		inspect->type = TYPE_VOLUME;
	else
		return err_set(err, ERR_USAGE, EINVAL, "--type: not container, image or volume: %s",
			       value);
	return 0;
}

static int set_format(struct inspect *inspect, const char *value, struct err *err)
{
	return inspect_format_set(&inspect->format, value, err);
}

static void inspect_release(struct inspect *inspect)
{
	inspect_format_release(&inspect->format);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(inspect_release))) struct inspect inspect = { 0 };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_inspect, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		if (option->letter == 's')
			inspect.size = true;
		else if ((option->letter == 'f' ? set_format : set_type)(&inspect, value, err) < 0)
			return -1;
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0)
		return -1;
	return inspect_all(app, &inspect, argv + parse.next, argc - parse.next, err);
}

const struct cmd cmd_inspect = {
	.name = "inspect",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER|IMAGE|VOLUME...",
	.summary = "print all that is known of containers, images and volumes, as JSON",
	.details =
		"A name that several have is the container's, or else the image's.\n\n"
		"A template is text with {{.Field.Below}}, {{json .Field}}, {{range .List}} and what "
		"else Go's have (see TEMPLATES in cman(1)), and is printed in a line for each.",
	.options =
		(const struct cmd_option[]){
			{ 'f', "format", "FORMAT", "json, or a template such as '{{.State.Pid}}'" },
			{ 's', "size", NULL, "of containers, how much they have written" },
			{ 0, "type", "TYPE", "only a container, an image, or a volume" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
