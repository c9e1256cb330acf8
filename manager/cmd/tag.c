/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "image/names.h"
#include "image/ref.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "store/base/cleanup.h"
#include "store/images.h"
#include "store/store.h"

static int tag(struct store *store, const char *image, const char *word, struct err *err)
{
	AUTO_FREE char *name = NULL;

	if (ref_normalize(word, &name, err) < 0)
		return err_code(err);
	if (strchr(name, '@')) {
		err_set(err, ERR_USAGE, EINVAL, "a name that is given has no digest: %s", word);
		return err_hint(err, "what it is says which digest it has");
	}
	return image_tag(store, image, name, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_FREE char *image = NULL;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int status = 0;

	options_begin(&parse, &cmd_tag, argc, argv);
	parse.interspersed = true;
	if (options_next(&parse, &option, &value, err) < 0 ||
	    options_operands(&parse, 2, -1, err) < 0 || store_open(app->root, &store, err) < 0 ||
	    image_lookup_name(&store, argv[parse.next], &image, err) < 0)
		return -1;
	for (int i = parse.next + 1; i < argc; i++) {
		struct err one = ERR_INIT;

		if (tag(&store, image, argv[i], &one) == 0)
			continue;
		report_error(&one);
		status = EXIT_CMAN;
	}
	return status;
}

const struct cmd cmd_tag = {
	.name = "tag",
	.group = CMD_GROUP_IMAGES,
	.operands = "IMAGE NAME[:TAG]...",
	.summary = "give an image one more name",
	.details =
		"A name that another image has is taken away from it. NAME with a registry in it, "
		"such as registry.example/team/app:1, is where 'cman push' sends it.",
	.options =
		(const struct cmd_option[]){
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
