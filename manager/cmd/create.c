/* SPDX-License-Identifier: Apache-2.0 */
/* cman create: what run does, up to the start. */
#include <signal.h>
#include <stdio.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/creation.h"
#include "manager/cmd/image_choice.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_options_groups.h"

/* From the row to the spec nothing may end us, or half a container would be left. */
static int create(struct store *store, struct run_options *options,
		  const struct image_choice *choice, struct container_record *record,
		  struct err *err)
{
	AUTO_CREATION struct creation creation = CREATION_INIT;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	rc = creation_plan(store, options, choice, record, &spec, &creation, err);
	if (rc == 0)
		rc = creation_make(store, &creation, err);
	if (rc == 0) {
		puts(record->id);
		fflush(stdout); /* main looks at ferror */
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
	AUTO_IMAGE_CHOICE struct image_choice choice = IMAGE_CHOICE_INIT;
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_STORE struct store store = STORE_INIT;
	int rc = run_options_parse(&cmd_create, argc, argv, &options, err);

	if (rc == 0)
		rc = container_id_generate(record.id, err);
	if (rc == 0)
		rc = store_open(app->root, &store, err);
	if (rc == 0 && !options.rootfs)
		rc = image_choose(&store, &options.image, options.words, &choice, err);
	if (rc == 0)
		rc = create(&store, &options, &choice, &record, err);
	return rc < 0 ? -1 : 0;
}

static const struct cmd_absent of_a_start[] = {
	{ "d detach", "nothing is started", "to start it at once: cman run --detach" },
	{ "a attach sig-proxy detach-keys", "nothing is started",
	  "say it when it is: cman start --attach NAME" },
	{ "pidfile", "nothing is started", "afterwards: cman inspect -f '{{.State.Pid}}' NAME" },
	{ NULL, NULL, NULL },
};

const struct cmd cmd_create = {
	.name = "create",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [IMAGE] [COMMAND [ARG...]]",
	.summary = "make a container that is started later",
	.details = "As `cman run` with the same options and words, but nothing is started: the "
		   "container's ID is printed, and `cman start` starts it, as often as you like. "
		   "With --rm it is removed when it has ended.",
	.groups = run_option_groups,
	.absent = of_a_start,
	.absent_too = run_options_absent,
	.run = run,
};
