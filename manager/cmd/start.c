/* SPDX-License-Identifier: Apache-2.0 */
/* cman start: containers that were created, or have ended. */
#include <errno.h>
#include <unistd.h>

#include "manager/cmd/attachment.h"
#include "manager/cmd/attend.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/launch.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"

#define ATTEMPTS 5

enum {
	OPT_ATTACH,
	OPT_INTERACTIVE,
	OPT_DETACH_KEYS,
	OPT_SIG_PROXY,
};

static const struct cmd_option options[] = {
	[OPT_ATTACH] = { 'a', "attach", NULL,
			 "stay with it, as run does: its output, signals, its exit status" },
	[OPT_INTERACTIVE] = { 'i', "interactive", NULL, "the same, and pass stdin on" },
	[OPT_DETACH_KEYS] = { 0, "detach-keys", "KEYS",
			      "keys that leave it running (default: " DETACH_KEYS_DEFAULT ")" },
	[OPT_SIG_PROXY] = { 0, "sig-proxy", "BOOL", "forward signals to it (default: true)" },
	{ 0, NULL, NULL, NULL },
};

static int start(struct store *store, const char *operand, const void *data,
		 char answer[ANSWER_MAX], struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;

	(void)data;
	(void)answer;
	if (lifecycle_find(store, operand, &record, err) < 0)
		return err_code(err);
	return lifecycle_start(store, &record, err);
}

/* --- with a client --- */

static int check_stdin(struct store *store, const struct container_record *record, struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;

	if (lifecycle_load_spec(store, record->id, &spec, err) < 0)
		return err_code(err);
	if (!spec.process.open_stdin) {
		err_set(err, ERR_STATE, EINVAL, "%s was created without -i: it reads no stdin",
			record->name);
		return err_hint(err, "start -a passes on its output alone");
	}
	if (record->tty && !isatty(STDIN_FILENO))
		return err_set(err, ERR_USAGE, 0, "%s has a terminal, but stdin is none",
			       record->name);
	return 0;
}

/* A start that is to have a client. */
struct attended {
	const char *root;
	const struct launch_how *how;
	struct launch *launch;
};

/* lifecycle_starter */
static int start_once(struct store *store, struct container_record *record, void *data,
		      struct err *err)
{
	const struct attended *attended = data;
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	int rc = launch_begin(attended->root, attended->how, &launch, err);

	(void)store;
	if (rc == 0)
		rc = pump_block_signals(launch.pump.raw, launch.pump.no_proxy, &launch.pump.signals,
					err);
	if (rc == 0)
		rc = launch_start(&launch, record, err);
	if (rc < 0)
		return rc;
	*attended->launch = launch;
	launch = (struct launch)LAUNCH_INIT;
	return 0;
}

static int begin(struct app *app, const char *name, struct launch_how *how, struct launch *launch,
		 struct container_record *record, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct attended attended = { .root = app->root, .how = how, .launch = launch };
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = lifecycle_find(&store, name, record, err);
	if (rc == 0 && how->interactive)
		rc = check_stdin(&store, record, err);
	how->tty = record->tty;
	for (int attempt = 1; rc == 0; attempt++) {
		rc = lifecycle_start_by(&store, record, start_once, &attended, err);
		if (rc == 0)
			rc = attachment_begin(&store, record, how, launch, err);
		if (rc >= 0)
			return 0;
		/* It ran, and ended just then. */
		if (err->kind == ERR_STATE && err->num == ECHILD && attempt < ATTEMPTS) {
			*err = (struct err)ERR_INIT;
			rc = lifecycle_find(&store, name, record, err);
		}
	}
	return rc;
}

static int start_attended(struct app *app, const char *name, struct launch_how *how,
			  struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	int rc = begin(app, name, how, &launch, &record, err);

	return rc < 0 ? -1 : attend(&launch, record.name, err);
}

/* --- the command --- */

static int take_option(const struct cmd_option *option, const char *value, struct launch_how *how,
		       struct err *err)
{
	bool proxy = true;
	int rc;

	switch (option - options) {
	case OPT_DETACH_KEYS:
		return detach_keys_parse(value, &how->keys, err);
	case OPT_SIG_PROXY:
		rc = option_bool(option, value, &proxy, err);
		how->no_proxy = !proxy;
		return rc;
	default:
		how->detached = false;
		how->interactive |= option == &options[OPT_INTERACTIVE];
		return 0;
	}
}

/* `about` is an option that is about a client, or NULL. */
static int check_client(const struct launch_how *how, const struct cmd_option *about, int named,
			struct err *err)
{
	if (how->detached && about)
		return err_set(err, ERR_USAGE, EINVAL, "--%s is nothing without --attach",
			       about->name);
	if (how->detached || named <= 1)
		return 0;
	err_set(err, ERR_USAGE, EINVAL, "start: --%s is to stay with one container, not with %d",
		how->interactive ? "interactive" : "attach", named);
	return err_hint(err, "start them without it, and see what all of them print: "
			     "cman logs -f NAME...");
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct launch_how how = { .detached = true };
	const struct cmd_option *option, *about = NULL;
	struct option_parse parse;
	const char *value;
	int rc = detach_keys_parse(DETACH_KEYS_DEFAULT, &how.keys, err);

	options_begin(&parse, &cmd_start, argc, argv);
	parse.interspersed = true;
	while (rc >= 0 && (rc = options_next(&parse, &option, &value, err)) > 0) {
		rc = take_option(option, value, &how, err);
		if (option == &options[OPT_DETACH_KEYS] || option == &options[OPT_SIG_PROXY])
			about = option;
	}
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0 ||
	    check_client(&how, about, argc - parse.next, err) < 0)
		return -1;
	if (!how.detached)
		return start_attended(app, argv[parse.next], &how, err);
	return operands_each(app, argv + parse.next, argc - parse.next, start, NULL, err);
}

const struct cmd cmd_start = {
	.name = "start",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER...",
	.summary = "start containers that were created or have ended",
	.details =
		"The same program in the same files: what the container wrote is there again, and its "
		"log goes on. Prints the names as they were given, each once its program was really "
		"executed. What runs already is left as it is.\n\n"
		"With -a or -i there can be one container only, and `cman start` stays with it as "
		"`cman run` does; its exit status is the payload's. One that runs already is attached "
		"to.",
	.options = options,
	.run = run,
};
