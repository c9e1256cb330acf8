/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/choice.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"
#include "manager/lifecycle_await.h"
#include "store/base/strv.h"

#define CONDITIONS                                                                      \
	"not-running, next-exit, removed, created, running, paused, exited, removing, " \
	"healthy, unhealthy"

static int wait_one(struct store *store, const char *operand, const void *data,
		    char answer[ANSWER_MAX], struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	const unsigned *conditions = data;
	int exit_code = 0;
	int rc = lifecycle_find(store, operand, &record, err);

	if (rc == 0 && *conditions) {
		rc = lifecycle_await(store, &record, *conditions, err);
		/* Of one that has not ended there is none, as with podman. */
		if (rc == 0 && record.finished_ns == 0) {
			strcpy(answer, "-1");
			return 0;
		}
		exit_code = record.exit_code;
	} else if (rc == 0) {
		rc = lifecycle_wait(store, &record, &exit_code, err);
	}
	if (rc < 0)
		return rc;
	if (exit_code < 0)
		return err_set(err, ERR_STATE, ESRCH, "%s: its exit status is not known: %s",
			       operand, record.error ? record.error : "it was lost");
	snprintf(answer, ANSWER_MAX, "%d", exit_code);
	return 0;
}

static int take_condition(const char *value, unsigned *conditions, struct err *err)
{
	enum await_condition condition;

	if (await_condition_from_name(value, &condition) < 0) {
		err_set(err, ERR_USAGE, EINVAL, "--condition: not a condition: %s", value);
		return err_hint(err, "one of " CONDITIONS);
	}
	*conditions |= condition;
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct cmd_option *option;
	struct option_parse parse;
	AUTO_CHOICE struct choice choice = CHOICE_INIT;
	AUTO_STRV char **names = NULL;
	unsigned conditions = 0;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_wait, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		rc = choice_option(&choice, option, value, err);
		if (rc == 0)
			rc = take_condition(value, &conditions, err);
		if (rc < 0)
			return -1;
	}
	if (rc < 0 || choice_resolve(&choice, app, &cmd_wait, argv + parse.next, argc - parse.next,
				     CHOICE_ANY_STATE, &names, err) < 0)
		return -1;
	/* The end is not looked for, but told by the processes themselves. */
	if (conditions == AWAIT_NOT_RUNNING)
		conditions = 0;
	/* At once, because one started with --rm would be gone when its turn came. */
	return operands_at_once(app, names, (int)strv_len(names), wait_one, &conditions, err);
}

const struct cmd cmd_wait = {
	.name = "wait",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [CONTAINER...]",
	.summary = "wait until containers have ended and print their exit statuses",
	.details =
		"With --condition until something else is so, or any of several: " CONDITIONS ".",
	.options =
		(const struct cmd_option[]){
			CHOICE_LATEST,
			CHOICE_FILTER,
			CHOICE_CIDFILE,
			{ 0, "condition", "CONDITION", "what to wait for (not-running; repeat)" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
