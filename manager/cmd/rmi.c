/* SPDX-License-Identifier: Apache-2.0 */
#include "image/names.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/removed.h"
#include "manager/cmd/report.h"
#include "store/base/cleanup.h"
#include "store/images.h"
#include "store/store.h"

static int remove_one(struct store *store, const char *word, bool force, struct err *err)
{
	AUTO_FREE char *name = NULL;
	int rc = image_lookup_name(store, word, &name, err);

	return rc < 0 ? rc : image_remove(store, name, force, removed_print, NULL, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	bool force = false;
	int rc, status = 0;

	options_begin(&parse, &cmd_rmi, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		force = true;
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0 ||
	    store_open(app->root, &store, err) < 0)
		return -1;
	for (int i = parse.next; i < argc; i++) {
		struct err one = ERR_INIT;

		if (remove_one(&store, argv[i], force, &one) == 0)
			continue;
		report_error(&one);
		status = EXIT_CMAN;
	}
	return status;
}

const struct cmd cmd_rmi = {
	.name = "rmi",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] IMAGE...",
	.summary = "remove images, by name or ID",
	.details =
		"Takes the name away; the image goes with its last name, or when its ID is given; "
		"where it has several names that takes -f. "
		"Layers that no other image needs are removed from disk.",
	.options =
		(const struct cmd_option[]){
			{ 'f', "force", NULL,
			  "take the name away even if containers use the image; with an ID, all names" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
