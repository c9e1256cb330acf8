/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"

static int wait_one(struct store *store, const char *operand, const void *data,
		    char answer[ANSWER_MAX], struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	int exit_code = 0;

	(void)data;
	if (lifecycle_find(store, operand, &record, err) < 0 ||
	    lifecycle_wait(store, &record, &exit_code, err) < 0)
		return err_code(err);
	if (exit_code < 0)
		return err_set(err, ERR_STATE, ESRCH, "%s: its exit status is not known: %s",
			       operand, record.error ? record.error : "it was lost");
	snprintf(answer, ANSWER_MAX, "%d", exit_code);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;

	options_begin(&parse, &cmd_wait, argc, argv);
	parse.interspersed = true;
	/* There are no options: the end or an error. */
	if (options_next(&parse, &option, &value, err) < 0 ||
	    options_operands(&parse, 1, -1, err) < 0)
		return -1;
	/* At once, because one started with --rm would be gone when its turn came. */
	return operands_at_once(app, argv + parse.next, argc - parse.next, wait_one, NULL, err);
}

const struct cmd cmd_wait = {
	.name = "wait",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "CONTAINER...",
	.summary = "wait until containers have ended and print their exit statuses",
	.run = run,
};
