/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "manager/cmd/choice.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"
#include "store/base/strv.h"

static int stop(struct store *store, const char *operand, const void *data, char answer[ANSWER_MAX],
		struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	const int64_t *timeout_s = data;

	(void)answer;
	if (lifecycle_find(store, operand, &record, err) < 0)
		return err_code(err);

	const struct stop_how how = {
		.by = "stop",
		.timeout_s = timeout_s ? (int)*timeout_s : record.stop_timeout_s,
	};

	return lifecycle_stop(store, &record, &how, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_CHOICE struct choice choice = CHOICE_INIT;
	AUTO_STRV char **names = NULL;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int64_t timeout_s = 0;
	bool given = false;
	int rc;

	options_begin(&parse, &cmd_stop, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		rc = choice_option(&choice, option, value, err);
		if (rc == 0)
			rc = option_int(option, value, -1, INT32_MAX, &timeout_s, err);
		if (rc < 0)
			return -1;
		given |= rc == 0;
	}
	if (rc < 0 || choice_resolve(&choice, app, &cmd_stop, argv + parse.next, argc - parse.next,
				     CHOICE_RUNNING, &names, err) < 0)
		return -1;
	return operands_at_once(app, names, (int)strv_len(names), stop, given ? &timeout_s : NULL,
				err);
}

const struct cmd cmd_stop = {
	.name = "stop",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [CONTAINER...]",
	.summary = "stop running containers",
	.details =
		"Sends each its stop signal (SIGTERM, if neither its image nor run --stop-signal "
		"says otherwise), and SIGKILL to those that still run after the timeout. Ends when "
		"they are really gone and prints the names as they were given. Several are stopped "
		"at the same time. To stop what has ended already is no error.",
	.options =
		(const struct cmd_option[]){
			CHOICE_ALL("all that run"),
			CHOICE_LATEST,
			CHOICE_FILTER,
			CHOICE_CIDFILE,
			{ 't', "time", "SECONDS",
			  "before SIGKILL; -1: wait for ever (as given to run, else 10)" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
