/* SPDX-License-Identifier: Apache-2.0 */
/* cman start: containers that were created, or have ended. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/attend.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/launch.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"

enum {
	OPT_ATTACH,
	OPT_INTERACTIVE,
	OPT_DETACH_KEYS,
};

static const struct cmd_option options[] = {
	[OPT_ATTACH] = { 'a', "attach", NULL,
			 "stay with it, as run does: its output, signals, its exit status" },
	[OPT_INTERACTIVE] = { 'i', "interactive", NULL, "the same, and pass stdin on" },
	[OPT_DETACH_KEYS] = { 0, "detach-keys", "KEYS",
			      "keys that leave it running (default: " DETACH_KEYS_DEFAULT ")" },
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

static int begin(struct app *app, const char *name, struct launch_how *how, struct launch *launch,
		 struct container_record *record, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = lifecycle_find(&store, name, record, err);
	if (rc == 0 && how->interactive)
		rc = check_stdin(&store, record, err);
	how->tty = record->tty;
	if (rc == 0)
		rc = launch_begin(app->root, how, launch, err);
	if (rc == 0)
		rc = pump_block_signals(launch->pump.raw, launch->pump.no_proxy,
					&launch->pump.signals, err);
	return rc < 0 ? rc : launch_start(launch, record, err);
}

static int start_attended(struct app *app, const char *name, struct launch_how *how,
			  struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	int rc = begin(app, name, how, &launch, &record, err);

	return rc < 0 ? -1 : attend(&launch.pump, record.name, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct launch_how how = { .detached = true };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc = detach_keys_parse(DETACH_KEYS_DEFAULT, &how.keys, err);

	options_begin(&parse, &cmd_start, argc, argv);
	parse.interspersed = true;
	while (rc >= 0 && (rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option == &options[OPT_DETACH_KEYS])
			rc = detach_keys_parse(value, &how.keys, err);
		else
			how.detached = false;
		how.interactive |= option == &options[OPT_INTERACTIVE];
	}
	if (rc < 0 || options_operands(&parse, 1, how.detached ? -1 : 1, err) < 0)
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
		"`cman run` does; its exit status is the payload's.",
	.options = options,
	.run = run,
};
