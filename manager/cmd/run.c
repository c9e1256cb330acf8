/* SPDX-License-Identifier: Apache-2.0 */
/* cman run, from the command line to the payload's exit status. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/config.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/image_choice.h"
#include "manager/cmd/launch.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_options_groups.h"
#include "manager/cmd/text.h"
#include "manager/lifecycle.h"
#include "manager/monitor/monitor.h"
#include "manager/mount_plan.h"
#include "manager/names.h"
#include "manager/neighbours.h"
#include "manager/spec_build.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/strv.h"

#define NAME_ATTEMPTS 16

/* What the client and its monitor, which is a copy of it, begin with. */
struct run {
	struct run_options options;
	struct image_choice choice;
	char id[CONTAINER_ID_LEN + 1];
};

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot create the container");
}

/* What runs, as the record keeps it: a JSON array. */
static int print_command(char *const *args, char **out, struct err *err)
{
	AUTO_BUF struct buf buf = BUF_INIT;

	buf_addch(&buf, '[');
	for (size_t i = 0; args[i]; i++) {
		if (i > 0)
			buf_addch(&buf, ',');
		text_add_json(&buf, args[i], strlen(args[i]));
	}
	buf_addch(&buf, ']');
	*out = buf_steal(&buf);
	return *out ? 0 : no_memory(err);
}

static int make_record(const struct run_options *options, const struct image_choice *choice,
		       const struct spec *spec, struct container_record *out, struct err *err)
{
	out->state = CONTAINER_CREATED;
	out->created_ns = clock_now_ns();
	out->auto_remove = options->auto_remove;
	out->tty = options->tty;
	out->stop_signal = spec->stop_signal;
	out->stop_timeout_s = options->stop_timeout_s;
	out->restart = options->restart;
	out->restart_max = options->restart_max;
	out->exit_code = -1;
	out->image = strdup(options->rootfs ? options->rootfs : choice->reference);
	out->image_id = options->rootfs ? NULL : strdup(choice->image.id);
	if (!out->image || (!out->image_id && !options->rootfs))
		return no_memory(err);
	return print_command(spec->process.args, &out->command, err);
}

static int list_layers(const struct image_record *image, char ***out, struct err *err)
{
	AUTO_STRV char **layers = NULL;

	for (size_t i = 0; i < image->nlayers; i++) {
		if (strv_add(&layers, image->layers[i].tree) < 0)
			return no_memory(err);
	}
	*out = STEAL_PTR(layers);
	return 0;
}

/* Insert and make it, under the name given, or under one that is free. */
static int insert(struct store *store, const struct run_options *options,
		  struct create_request *request, struct err *err)
{
	struct container_record *record = request->record;
	int rc;

	for (int attempt = 0;; attempt++) {
		char made_up[CONTAINER_NAME_MAX + 1];

		rc = options->name ? 0 : name_generate(attempt, made_up, err);
		if (rc < 0)
			return rc;
		free(record->name);
		record->name = strdup(options->name ? options->name : made_up);
		if (!record->name)
			return no_memory(err);
		rc = lifecycle_create(store, request, err);
		if (rc == 0 || options->name || err->kind != ERR_EXISTS || attempt == NAME_ATTEMPTS)
			return rc;
		*err = (struct err)ERR_INIT;
	}
}

/* From the image to a row and a directory. */
static int prepare(struct store *store, struct run *run, struct container_record *record,
		   struct spec *spec, struct err *err)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	AUTO_MOUNT_PLAN struct mount_plan mounts = MOUNT_PLAN_INIT;
	AUTO_STRV char **layers = NULL;
	AUTO_FREE char *hostname = NULL;
	static char *const none[] = { NULL };
	struct run_options *options = &run->options;
	const struct image_choice *choice = &run->choice;
	int rc = options->rootfs ? 0 : image_config_parse(choice->image.config, &config, err);

	memcpy(record->id, run->id, sizeof(record->id));
	options->container.command = options->rootfs ? options->words : choice->command;
	if (rc == 0)
		rc = neighbours_resolve(store, &options->container.isolation, &hostname, err);
	if (hostname)
		options->container.hostname = hostname;
	if (rc == 0)
		rc = mount_plan_make(store, &config, &options->container, &mounts, err);
	if (rc == 0)
		rc = spec_build(&config, &options->container, record->id, spec, err);
	if (rc == 0)
		rc = make_record(options, choice, spec, record, err);
	if (rc == 0)
		rc = list_layers(&choice->image, &layers, err);
	if (rc < 0)
		return rc;

	struct create_request request = {
		.record = record,
		.spec = spec,
		.layers = layers ? layers : none,
		.etc = &options->container.isolation.etc,
		.volumes = mounts.volumes,
		.nvolumes = mounts.nvolumes,
	};

	spec->root_path = options->rootfs;
	options->rootfs = NULL;

	return insert(store, options, &request, err);
}

/* --- in the monitor --- */

/* monitor_plan.create. A pull is the client's, who has the terminal. */
static int create(void *data, struct store *store, struct container_record *record,
		  struct spec *spec, struct err *err)
{
	struct run *run = data;
	const struct run_options *options = &run->options;
	int rc = 0;

	if (!options->rootfs)
		rc = image_choose(store, options->image, PULL_NEVER, options->words, &run->choice,
				  err);
	if (rc < 0 && err->kind == ERR_NOT_FOUND && options->pull == PULL_MISSING)
		return 1;
	if (rc < 0)
		return rc;
	if (!options->rootfs)
		log_debug("image %s: %s, %zu layers", run->choice.reference, run->choice.image.id,
			  run->choice.image.nlayers);
	rc = prepare(store, run, record, spec, err);
	if (rc == 0)
		log_debug("container %s: %s, command %s", record->name, record->id,
			  record->command);
	return rc;
}

/*
 * monitor_plan.explain. The image was not named, and the first word is no program either: it may
 * have been meant as one.
 */
static void explain(void *data, struct err *err)
{
	const struct image_choice *choice = &((struct run *)data)->choice;
	const char *word = choice->is_default ? choice->command[0] : NULL;

	if (err->kind != ERR_NO_PROGRAM || !word || strchr(word, '/'))
		return;
	err_set(err, ERR_NO_PROGRAM, ENOENT,
		"run: %s is neither a local image nor a program in the default image %s", word,
		choice->reference);
	err_hint(err,
		 "for an image: cman pull %.60s; for a program of another image: "
		 "cman run --image IMAGE %.60s",
		 word, word);
}

/* --- in the client --- */

/* A pull can be interrupted. */
static int pull(const struct app *app, struct run *run, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_CHOICE struct image_choice choice = IMAGE_CHOICE_INIT;
	struct run_options *options = &run->options;
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = image_choose(&store, options->image, options->pull, options->words, &choice,
				  err);
	options->pull = PULL_NEVER;
	return rc;
}

/* A monitor that was killed before it could start the container has left the row as it made it. */
static void remove_half_made(const struct app *app, const char *id)
{
	AUTO_CONTAINER_RECORD struct container_record left = CONTAINER_RECORD_INIT;
	AUTO_STORE struct store store = STORE_INIT;
	struct err ignored = ERR_INIT;

	if (store_open(app->root, &store, &ignored) == 0 &&
	    container_find(&store, id, &left, &ignored) == 0 && left.state == CONTAINER_CREATED)
		(void)lifecycle_remove(&store, &left, LIFECYCLE_FORCE | LIFECYCLE_VOLUMES,
				       &ignored);
}

/* Returns 0, -errno, or 1 where the image has to be pulled first. */
static int start(const struct app *app, struct run *run, struct launch *launch, struct err *err)
{
	const struct monitor_plan plan = {
		.root = app->root,
		.argv = app->argv,
		.create = create,
		.explain = explain,
		.data = run,
	};
	int rc = launch_new(&plan, run->id, &run->options, launch, err);

	if (rc == -ECHILD)
		remove_half_made(app, run->id);
	return rc;
}

static int attend(struct launch *launch, struct err *err)
{
	enum pump_end end = PUMP_LOST;
	int exit_code = -1;
	int rc = pump_run(&launch->pump, &end, &exit_code, err);

	if (rc < 0)
		return rc;
	switch (end) {
	case PUMP_EXITED:
		break;
	case PUMP_DETACHED:
		return 0;
	case PUMP_SIGNALLED:
		return exit_code;
	case PUMP_LOST:
		err_set(err, ERR_STATE, ECHILD, "%s: its monitor was killed", launch->name);
		return err_hint(err, "the container goes on: cman ps, cman logs -f %s",
				launch->name);
	}
	if (exit_code < 0)
		return err_set(err, ERR_STATE, ECHILD, "%s: its exit status was lost",
			       launch->name);
	return exit_code;
}

static void release(struct run *run)
{
	run_options_release(&run->options);
	image_choice_release(&run->choice);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(release))) struct run run = {
		.options = RUN_OPTIONS_INIT,
		.choice = IMAGE_CHOICE_INIT,
	};
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	int rc = run_options_parse(&cmd_run, argc, argv, &run.options, err);

	if (rc == 0)
		rc = container_id_generate(run.id, err);
	if (rc == 0 && !run.options.rootfs &&
	    (run.options.pull == PULL_ALWAYS || run.options.pull == PULL_NEWER))
		rc = pull(app, &run, err);
	if (rc == 0)
		rc = start(app, &run, &launch, err);
	if (rc > 0) {
		launch_undo(&launch);
		rc = pull(app, &run, err);
		if (rc == 0)
			rc = start(app, &run, &launch, err);
	}
	if (rc < 0)
		return -1;
	if (run.options.detach) {
		puts(run.id);
		return 0;
	}
	rc = attend(&launch, err);
	return rc < 0 ? -1 : rc;
}

const struct cmd cmd_run = {
	.name = "run",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [IMAGE] [COMMAND [ARG...]]",
	.summary = "start a program in a new container",
	.details =
		"The image is what --image says; else the first word, if it names a local image or is "
		"written as a reference (with '/', ':' or '@'); else the default image (default_image "
		"in /etc/cman/cman.conf, ubuntu-base if that is unset). The other words are the "
		"command; without any, the image's own is run. What is written as a reference, given "
		"by --image, or the default, is pulled when it is missing (--pull).\n\n"
		"In the foreground, stdout and stderr are passed on unchanged and apart (and kept for "
		"`cman logs`), signals are forwarded, and the exit status is the payload's: 128+n when "
		"signal n killed it, 127 when it was not found, 126 when it cannot be executed, 125 "
		"when cman itself failed. Without -i, stdin holds nothing but end-of-file. With -it, "
		"ctrl-p ctrl-q leaves the container to itself.\n\n"
		"With -d the container's ID is printed once the payload was really started.",
	.options =
		(const struct cmd_option[]){
			{ 'd', "detach", NULL,
			  "run in the background and print the container's ID" },
			{ 0, "detach-keys", "KEYS",
			  "keys that leave it running (default: " DETACH_KEYS_DEFAULT ")" },
			{ 0, NULL, NULL, NULL },
		},
	.groups = run_option_groups,
	.run = run,
};
