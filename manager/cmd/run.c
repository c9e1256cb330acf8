/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cman run, from the command line to the payload's exit status. What takes longest is done by three
 * processes at the same time:
 *
 *	client		options; fork; network namespace; then output, signals, exit status
 *	monitor		image (a guess), directory; fork; database: image, row; the gate
 *	first process	namespaces, root, mounts, user, program; the gate; ctinit, payload
 *
 * Nothing of the container runs before there is a row that says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "manager/cmd/attend.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/creation.h"
#include "manager/cmd/id_file.h"
#include "manager/cmd/image_choice.h"
#include "manager/cmd/image_recall.h"
#include "manager/cmd/launch.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_options_groups.h"
#include "manager/lifecycle.h"
#include "manager/monitor/monitor.h"
#include "store/base/clock.h"
#include "store/base/log.h"

/* What the client and its monitor, which is a copy of it, begin with. */
struct run {
	struct run_options options;
	struct image_choice choice;
	struct creation creation;
	char id[CONTAINER_ID_LEN + 1];
	bool may_guess;	 /* the image, before the database is read */
	bool is_guessed; /* and so it was, at guessed_ns */
	int64_t guessed_ns;
};

/* --- in the monitor --- */

/* A pull is the client's, who has the terminal: 1 where there has to be one. */
static int choose(struct run *run, struct store *store, struct image_choice *out, struct err *err)
{
	const struct run_options *options = &run->options;
	struct image_wish here = options->image;
	int rc;

	here.pull = PULL_NEVER;
	rc = image_choose(store, &here, options->words, out, err);
	return rc < 0 && err->kind == ERR_NOT_FOUND && options->image.pull == PULL_MISSING ? 1 : rc;
}

static int choose_or_guess(struct run *run, struct store *store, struct err *err)
{
	const struct run_options *options = &run->options;
	int rc;

	if (options->rootfs)
		return creation_asks_records(options) ? store_open_db(store, err) : 0;
	run->is_guessed = run->may_guess && !creation_asks_records(options) &&
			  image_recall(store, &options->image, options->words, &run->choice);
	run->guessed_ns = clock_now_ns();
	if (run->is_guessed)
		return 0;
	rc = store_open_db(store, err);
	return rc < 0 ? rc : choose(run, store, &run->choice, err);
}

/* One that was removed and has come again since may have been mounted as it was removed. */
static bool layers_are_older(const struct store *store, const struct image_record *image,
			     int64_t ns)
{
	struct stat st;

	for (size_t i = 0; i < image->nlayers; i++)
		if (fstatat(store->layers_fd, image->layers[i].tree, &st, AT_SYMLINK_NOFOLLOW) <
			    0 ||
		    clock_ns(st.st_ctim) >= ns)
			return false;
	return true;
}

/* 1 where the guess was wrong. Opens the database. */
static int check_guess(struct run *run, struct store *store, struct err *err)
{
	AUTO_IMAGE_CHOICE struct image_choice now = IMAGE_CHOICE_INIT;
	int rc = store_open_db(store, err);

	if (rc < 0 || !run->is_guessed)
		return rc;
	rc = choose(run, store, &now, err);
	if (rc < 0 && err->kind == ERR_NOT_FOUND)
		return 1;
	return rc != 0 ? rc :
			 !image_choice_equal(&run->choice, &now) ||
				 !layers_are_older(store, &now.image, run->guessed_ns);
}

/* monitor_plan.create. */
static int create(void *data, struct store *store, struct container_record *record,
		  struct spec *spec, bool *has_row, struct err *err)
{
	struct run *run = data;
	struct creation *creation = &run->creation;
	const struct image_record *image = &run->choice.image;
	int rc = choose_or_guess(run, store, err);

	if (rc != 0)
		return rc;
	if (!run->options.rootfs)
		log_debug("image %s: %s, %zu layers%s", run->choice.reference, image->id,
			  image->nlayers, run->is_guessed ? ", as the last time" : "");
	memcpy(record->id, run->id, sizeof(record->id));
	rc = creation_plan(store, &run->options, &run->choice, record, spec, creation, err);
	*has_row = creation->mounts.nvolumes > 0 || run->options.cidfile || run->options.replace;
	/* An image may have volumes, too. */
	if (rc == 0 && *has_row)
		rc = check_guess(run, store, err);
	if (rc == 0)
		rc = *has_row ? creation_make(store, creation, err) :
				creation_prepare(store, creation, err);
	/* Of an image that has gone: the client begins anew, without a guess. */
	if (rc < 0 && run->is_guessed)
		return 1;
	if (rc == 0)
		log_debug("container %s: command %s", record->id, record->command);
	return rc;
}

/* monitor_plan.record. */
static int record(void *data, struct store *store, struct container_record *record, bool is_started,
		  struct err *err)
{
	struct run *run = data;
	int rc = check_guess(run, store, err);

	if (rc != 0)
		return rc;
	rc = creation_record(store, &run->creation, is_started, err);
	/* --rootfs has none */
	if (rc == 0 && !run->is_guessed && run->choice.reference)
		image_remember(store, &run->options.image, run->options.words, &run->choice);
	if (rc == 0)
		log_debug("container %s: %s", record->name, record->id);
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
		rc = image_choose(&store, &options->image, options->words, &choice, err);
	options->image.pull = PULL_NEVER;
	return rc;
}

/* By a monitor that was killed before it could start the container. */
static void remove_half_made(const struct app *app, const char *id)
{
	AUTO_CONTAINER_RECORD struct container_record left = CONTAINER_RECORD_INIT;
	AUTO_STORE struct store store = STORE_INIT;
	struct err ignored = ERR_INIT;

	if (store_open(app->root, &store, &ignored) < 0)
		return;
	if (container_find(&store, id, &left, &ignored) < 0) {
		if (ignored.kind == ERR_NOT_FOUND)
			lifecycle_discard(&store, id);
	} else if (left.state == CONTAINER_CREATED) {
		(void)lifecycle_remove(&store, &left, LIFECYCLE_FORCE | LIFECYCLE_VOLUMES,
				       &ignored);
	}
}

/* Returns 0, -errno, or 1: begin anew, without a guess, with a pull where one is needed. */
static int start(const struct app *app, struct run *run, struct launch *launch, struct err *err)
{
	const enum share_mode network =
		isolation_share(&run->options.container.isolation, SPEC_NS_NETWORK)->mode;
	const struct monitor_plan plan = {
		.root = app->root,
		.preserve_fds = run->options.container.isolation.preserve_fds,
		.gives_network = network == SHARE_DEFAULT || network == SHARE_PRIVATE ||
				 network == SHARE_NONE,
		.argv = app->argv,
		.create = create,
		.record = record,
		.explain = explain,
		.data = run,
	};
	const struct launch_how how = {
		.detached = run->options.detach,
		.interactive = run->options.interactive,
		.tty = run->options.tty,
		.keys = run->options.keys,
		.streams = run->options.attach,
		.no_proxy = run->options.no_proxy,
	};
	int rc = launch_new(&plan, run->id, &how, launch, err);

	if (rc == -ECHILD)
		remove_half_made(app, run->id);
	return rc;
}

static void release(struct run *run)
{
	creation_release(&run->creation);
	run_options_release(&run->options);
	image_choice_release(&run->choice);
}

/*
 * The container's first process is a copy of this one until it executes ctinit. Where it executes
 * the image's program instead, which can be /proc/self/exe, what that gets at must not be the
 * host's file (the CVE-2019-5736 class).
 */
static int hide_program(const struct app *app, const struct run *run, struct err *err)
{
	return run->options.container.init ? 0 : stage_execute_again(app->argv, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(release))) struct run run = {
		.options = RUN_OPTIONS_INIT,
		.choice = IMAGE_CHOICE_INIT,
		.creation = CREATION_INIT,
		.may_guess = true,
	};
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	int rc = run_options_parse(&cmd_run, argc, argv, &run.options, err);

	if (rc == 0)
		rc = hide_program(app, &run, err);
	if (rc == 0)
		rc = container_id_generate(run.id, err);
	if (rc == 0 && !run.options.rootfs &&
	    (run.options.image.pull == PULL_ALWAYS || run.options.image.pull == PULL_NEWER))
		rc = pull(app, &run, err);
	if (rc == 0)
		rc = start(app, &run, &launch, err);
	if (rc > 0) {
		launch_undo(&launch);
		/* under another ID: what there is of the first one is somebody else's to remove */
		run.may_guess = false;
		rc = container_id_generate(run.id, err);
		if (rc == 0)
			rc = pull(app, &run, err);
		if (rc == 0)
			rc = start(app, &run, &launch, err);
	}
	if (rc == 0 && run.options.pidfile)
		rc = id_file_write_pid(run.options.pidfile, launch.pid, err);
	if (rc < 0)
		return -1;
	if (run.options.detach) {
		puts(run.id);
		return 0;
	}
	rc = attend(&launch, launch.name, err);
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
		"when cman itself failed. Without -i, stdin is /dev/null. With -it, "
		"ctrl-p ctrl-q leaves the container to itself; else ctrl-c three times in 3 "
		"seconds does, if it does not end.\n\n"
		"With -d the container's ID is printed once the payload was really started.",
	.options =
		(const struct cmd_option[]){
			{ 'd', "detach", NULL,
			  "run in the background and print the container's ID" },
			{ 'a', "attach", "STREAM",
			  "only this one of stdin, stdout, stderr (repeat)" },
			{ 0, "detach-keys", "KEYS",
			  "keys that leave it running (default: " DETACH_KEYS_DEFAULT ")" },
			{ 0, "sig-proxy", "BOOL", "forward signals to it (default: true)" },
			{ 0, "pidfile", "FILE", "write the number of its first process to a file" },
			{ 0, NULL, NULL, NULL },
		},
	.groups = run_option_groups,
	.absent = run_options_absent,
	.run = run,
};
