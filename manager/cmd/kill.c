/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "manager/cmd/choice.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"
#include "store/base/strv.h"

static int send(struct store *store, const char *operand, const void *data, char answer[ANSWER_MAX],
		struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	const int *signal = data;

	(void)answer;
	if (lifecycle_find(store, operand, &record, err) < 0)
		return err_code(err);
	return lifecycle_kill(store, &record, *signal, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_CHOICE struct choice choice = CHOICE_INIT;
	AUTO_STRV char **names = NULL;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int signal = SIGKILL;
	int rc;

	options_begin(&parse, &cmd_kill, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		rc = choice_option(&choice, option, value, err);
		if (rc == 0)
			rc = option_signal(option, value, &signal, err);
		if (rc < 0)
			return -1;
	}
	if (rc < 0 || choice_resolve(&choice, app, &cmd_kill, argv + parse.next, argc - parse.next,
				     CHOICE_RUNNING, &names, err) < 0)
		return -1;
	return operands_each(app, names, (int)strv_len(names), send, &signal, err);
}

const struct cmd cmd_kill = {
	.name = "kill",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [CONTAINER...]",
	.summary = "send a signal to running containers",
	.details = "The signal goes to the container's first process, which passes it on to the "
		   "command. cman does not wait for what comes of it.",
	.options =
		(const struct cmd_option[]){
			CHOICE_ALL("all that run"),
			CHOICE_LATEST,
			CHOICE_FILTER,
			CHOICE_CIDFILE,
			{ 's', "signal", "SIGNAL", "TERM, SIGTERM, 15, RTMIN+3, ... (KILL)" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
