/* SPDX-License-Identifier: Apache-2.0 */
/* commit: a container becomes an image. */
#include "manager/commit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/change.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/pack_notes.h"
#include "manager/config.h"
#include "store/base/strv.h"
#include "store/store.h"
#include "store/trash_stage.h"

enum { OPT_AUTHOR, OPT_CHANGE, OPT_MESSAGE, OPT_PAUSE, OPT_END };

static const struct cmd_option option_table[] = {
	[OPT_AUTHOR] = { 'a', "author", "AUTHOR",
			 "who made it, such as 'Jane Doe <jane@example.com>'" },
	[OPT_CHANGE] = { 'c', "change", "INSTRUCTION",
			 "change its configuration: CMD, ENV … (repeat)" },
	[OPT_MESSAGE] = { 'm', "message", "TEXT", "what was done, for cman history" },
	[OPT_PAUSE] = { 0, "pause", "BOOL", "false: it may go on meanwhile (true)" },
	[OPT_END] = { 0, NULL, NULL, NULL },
};

struct options {
	struct commit_request request;
	char **changes; /* owned */
};

static void options_release(struct options *options)
{
	strv_free(options->changes);
}

static int take_option(const struct cmd_option *option, const char *value, void *into,
		       struct err *err)
{
	struct options *options = into;
	struct commit_request *request = &options->request;

	switch (option - option_table) {
	case OPT_AUTHOR:
		request->author = value;
		return 0;
	case OPT_CHANGE:
		return change_option_add(&options->changes, value, err);
	case OPT_MESSAGE:
		request->message = value;
		return 0;
	default:
		return option_bool(option, value, &request->pause, err);
	}
}

static int commit(struct app *app, const struct commit_request *request, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct pack_result packed;

	if (store_open(app->root, &store, err) < 0)
		return -1;
	if (commit_container(&store, request, &packed, &image, err) < 0) {
		/* Nobody waits for the removal of what was packed so far. */
		trash_remove_aside(&store);
		if (err->num != EINTR && err->kind != ERR_NOT_FOUND)
			err_wrap(err, "%s", request->container);
		return -1;
	}
	pack_notes_print(&packed);
	puts(image.id);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_CONFIG struct config config = CONFIG_INIT;
	__attribute__((cleanup(options_release))) struct options options = {
		.request = { .pause = true, .limits = &config.limits.unpack },
	};
	struct commit_request *request = &options.request;
	struct option_parse parse;

	options_begin(&parse, &cmd_commit, argc, argv);
	parse.interspersed = true;
	if (options_each(&parse, take_option, &options, err) < 0 ||
	    options_operands(&parse, 1, 2, err) < 0 || config_load(&config, err) < 0)
		return -1;
	request->container = argv[parse.next];
	request->name = parse.next + 1 < argc ? argv[parse.next + 1] : NULL;
	request->changes = options.changes;
	return commit(app, request, err);
}

const struct cmd cmd_commit = {
	.name = "commit",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER [NAME]",
	.summary = "make an image of a container",
	.details =
		"The image is the container's with one layer more: what `cman diff` lists. Its "
		"configuration is that of the container's image with the changes asked for; what the "
		"container was started with (-e, -w, its command) is not taken over. Volumes are no part "
		"of it. The ID is printed.\n\n"
		"Changes are instructions of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, "
		"HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR, such as --change 'CMD [\"httpd\"]'.",
	.options = option_table,
	.run = run,
};
