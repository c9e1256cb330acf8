/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"

/* What was given; the rest is the container's own. */
struct given {
	bool has_timeout;
	int64_t timeout_s;
	int signal;
};

static int restart(struct store *store, const char *operand, const void *data,
		   char answer[ANSWER_MAX], struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	const struct given *given = data;

	(void)answer;
	if (lifecycle_find(store, operand, &record, err) < 0)
		return err_code(err);

	const struct stop_how how = {
		.by = "restart",
		.signal = given->signal,
		.timeout_s = given->has_timeout ? (int)given->timeout_s : record.stop_timeout_s,
	};

	return lifecycle_restart(store, &record, &how, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct given given = { .has_timeout = false };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_restart, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 's')
			rc = option_signal(option, value, &given.signal, err);
		else
			rc = option_int(option, value, -1, INT32_MAX, &given.timeout_s, err);
		if (rc < 0)
			return -1;
		given.has_timeout |= option->letter == 't';
	}
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0)
		return -1;
	return operands_at_once(app, argv + parse.next, argc - parse.next, restart, &given, err);
}

const struct cmd cmd_restart = {
	.name = "restart",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER...",
	.summary = "stop containers and start them again",
	.details =
		"Stops each as `cman stop` does and starts it as `cman start` does; one that does "
		"not run is just started. Several are restarted at the same time. A container "
		"with --rm is not removed in between.",
	.options =
		(const struct cmd_option[]){
			{ 's', "signal", "SIGNAL", "what to stop it with (as given to run)" },
			{ 't', "time", "SECONDS",
			  "before SIGKILL; -1: wait for ever (as given to run, else 10)" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
