/* SPDX-License-Identifier: Apache-2.0 */
/* pause and unpause: containers held still, and let go on. */
#include "manager/cmd/choice.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"
#include "store/base/strv.h"

typedef int change(struct store *store, struct container_record *record, struct err *err);

static int apply(struct store *store, const char *operand, change *make, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	int rc = lifecycle_find(store, operand, &record, err);

	return rc < 0 ? rc : make(store, &record, err);
}

static int pause_one(struct store *store, const char *operand, const void *data,
		     char answer[ANSWER_MAX], struct err *err)
{
	(void)data;
	(void)answer;
	return apply(store, operand, lifecycle_pause, err);
}

static int unpause_one(struct store *store, const char *operand, const void *data,
		       char answer[ANSWER_MAX], struct err *err)
{
	(void)data;
	(void)answer;
	return apply(store, operand, lifecycle_unpause, err);
}

static int run_each(const struct cmd *cmd, struct app *app, int argc, char **argv,
		    operand_action *action, unsigned states, struct err *err)
{
	AUTO_CHOICE struct choice choice = CHOICE_INIT;
	AUTO_STRV char **names = NULL;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, cmd, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		if (choice_option(&choice, option, value, err) < 0)
			return -1;
	if (rc < 0 || choice_resolve(&choice, app, cmd, argv + parse.next, argc - parse.next,
				     states, &names, err) < 0)
		return -1;
	return operands_each(app, names, (int)strv_len(names), action, NULL, err);
}

static int run_pause(struct app *app, int argc, char **argv, struct err *err)
{
	return run_each(&cmd_pause, app, argc, argv, pause_one, CHOICE_STATE(CONTAINER_RUNNING),
			err);
}

static int run_unpause(struct app *app, int argc, char **argv, struct err *err)
{
	return run_each(&cmd_unpause, app, argc, argv, unpause_one, CHOICE_STATE(CONTAINER_PAUSED),
			err);
}

const struct cmd cmd_pause = {
	.name = "pause",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [CONTAINER...]",
	.summary = "hold all processes of running containers still",
	.details =
		"They keep their memory and take no time, until `cman unpause` lets them go on. To "
		"stop, kill or remove a paused container works as with any other that runs.",
	.options =
		(const struct cmd_option[]){
			CHOICE_ALL("all that run"),
			CHOICE_LATEST,
			CHOICE_FILTER,
			CHOICE_CIDFILE,
			{ 0, NULL, NULL, NULL },
		},
	.run = run_pause,
};

const struct cmd cmd_unpause = {
	.name = "unpause",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [CONTAINER...]",
	.summary = "let paused containers go on",
	.options =
		(const struct cmd_option[]){
			CHOICE_ALL("all that are paused"),
			CHOICE_LATEST,
			CHOICE_FILTER,
			CHOICE_CIDFILE,
			{ 0, NULL, NULL, NULL },
		},
	.run = run_unpause,
};
