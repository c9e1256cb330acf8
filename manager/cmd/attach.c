/* SPDX-License-Identifier: Apache-2.0 */
/* cman attach: one more client of a running container. */
#include <unistd.h>

#include "manager/cmd/attachment.h"
#include "manager/cmd/attend.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/launch.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"

enum {
	OPT_DETACH_KEYS,
	OPT_NO_STDIN,
	OPT_SIG_PROXY,
};

static const struct cmd_option options[] = {
	[OPT_DETACH_KEYS] = { 0, "detach-keys", "KEYS",
			      "keys that leave it running (default: " DETACH_KEYS_DEFAULT ")" },
	[OPT_NO_STDIN] = { 0, "no-stdin", NULL, "pass nothing on to its stdin" },
	[OPT_SIG_PROXY] = { 0, "sig-proxy", "BOOL", "forward signals to it (default: true)" },
	{ 0, NULL, NULL, NULL },
};

struct attach {
	struct launch_how how;
	bool no_stdin;
};

static int take_option(const struct cmd_option *option, const char *value, struct attach *attach,
		       struct err *err)
{
	bool proxy = true;
	int rc;

	switch (option - options) {
	case OPT_DETACH_KEYS:
		return detach_keys_parse(value, &attach->how.keys, err);
	case OPT_NO_STDIN:
		attach->no_stdin = true;
		return 0;
	default:
		rc = option_bool(option, value, &proxy, err);
		attach->how.no_proxy = !proxy;
		return rc;
	}
}

/* What the container was made to have: a terminal, a stdin. */
static int choose(struct store *store, const struct container_record *record, struct attach *attach,
		  struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	int rc = lifecycle_load_spec(store, record->id, &spec, err);

	if (rc < 0)
		return rc;
	attach->how.tty = spec.process.terminal;
	attach->how.interactive = spec.process.open_stdin && !attach->no_stdin;
	if (!attach->how.tty || !attach->how.interactive || isatty(STDIN_FILENO))
		return 0;
	err_set(err, ERR_USAGE, 0, "attach: %s has a terminal, but stdin is none", record->name);
	return err_hint(err, "to see its output alone: cman attach --no-stdin %s", record->name);
}

static int begin(struct app *app, const char *name, struct attach *attach, struct launch *launch,
		 struct container_record *record, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = lifecycle_find(&store, name, record, err);
	if (rc == 0)
		rc = lifecycle_expect_running(record, err);
	if (rc == 0)
		rc = choose(&store, record, attach, err);
	if (rc == 0)
		rc = attachment_begin(&store, record, &attach->how, launch, err);
	return rc;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	struct attach attach = { .no_stdin = false };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc = detach_keys_parse(DETACH_KEYS_DEFAULT, &attach.how.keys, err);

	options_begin(&parse, &cmd_attach, argc, argv);
	parse.interspersed = true;
	while (rc >= 0 && (rc = options_next(&parse, &option, &value, err)) > 0)
		rc = take_option(option, value, &attach, err);
	if (rc < 0 || options_operands(&parse, 1, 1, err) < 0)
		return -1;
	rc = begin(app, argv[parse.next], &attach, &launch, &record, err);
	if (rc == 0)
		rc = attend(&launch, record.name, err);
	return rc < 0 ? -1 : rc;
}

const struct cmd cmd_attach = {
	.name = "attach",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER",
	.summary = "connect to a running container's input and output",
	.details =
		"Its output is passed on from now on, and, if it was made with -i, stdin to it. Several "
		"can be attached at once; all see the output. A screen is drawn again. Signals are "
		"forwarded; ctrl-p ctrl-q leaves it running, and where ctrl-c is a signal, that three "
		"times in 3 seconds. The exit status is the payload's.\n\n"
		"Who does not take the output does not hold the container up, but is let go.",
	.options = options,
	.run = run,
};
