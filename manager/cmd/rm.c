/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/choice.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"
#include "store/base/log.h"
#include "store/base/strv.h"

static int remove_one(struct store *store, const char *operand, const void *data,
		      char answer[ANSWER_MAX], struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	const unsigned *how = data;

	(void)answer;
	if (lifecycle_find(store, operand, &record, err) < 0)
		return err_code(err);
	return lifecycle_remove(store, &record, *how, err);
}

/* Whatever interrupted commands have left goes with it. It may fail without harm to this one. */
static void sweep(const struct app *app)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;

	if (store_open(app->root, &store, &err) < 0 || lifecycle_sweep(&store, &err) < 0)
		log_debug("cannot sweep: %s", err.text);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_CHOICE struct choice choice = CHOICE_INIT;
	AUTO_STRV char **names = NULL;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	unsigned how = 0;
	int rc;

	options_begin(&parse, &cmd_rm, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		rc = choice_option(&choice, option, value, err);
		if (rc < 0)
			return -1;
		if (option->letter == 'f')
			how |= LIFECYCLE_FORCE;
		else if (option->letter == 'v')
			how |= LIFECYCLE_VOLUMES;
	}
	if (rc < 0 || choice_resolve(&choice, app, &cmd_rm, argv + parse.next, argc - parse.next,
				     CHOICE_ANY_STATE, &names, err) < 0)
		return -1;
	rc = operands_each(app, names, (int)strv_len(names), remove_one, &how, err);
	if (rc >= 0)
		sweep(app);
	return rc;
}

const struct cmd cmd_rm = {
	.name = "rm",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [CONTAINER...]",
	.summary = "remove containers, their files and their logs",
	.options =
		(const struct cmd_option[]){
			CHOICE_ALL("all there are"),
			CHOICE_LATEST,
			CHOICE_FILTER,
			CHOICE_CIDFILE,
			{ 'f', "force", NULL, "kill it first, if it runs" },
			{ 'v', "volumes", NULL, "with its anonymous volumes" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
