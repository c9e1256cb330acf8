/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_options_groups.h"
#include "manager/cmd/run_values.h"
#include "manager/lifecycle.h"
#include "manager/lifecycle_update.h"

struct update {
	struct run_options options; /* its limits and restart policy */
	bool limits, restart;
};

static void update_release(struct update *update)
{
	run_options_release(&update->options);
}

static int change(struct store *store, const char *operand, const void *data,
		  char answer[ANSWER_MAX], struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	const struct update *update = data;
	const struct run_options *options = &update->options;
	int rc = lifecycle_find(store, operand, &record, err);

	(void)answer;
	if (rc == 0 && update->restart && record.auto_remove && options->restart != RESTART_NO)
		return err_set(err, ERR_STATE, EINVAL,
			       "%s: it is removed when it ends (--rm), and cannot be restarted",
			       record.name);
	if (rc == 0 && update->limits)
		rc = lifecycle_update(store, &record, &options->container.limits, err);
	if (rc == 0 && update->restart)
		rc = container_set_restart(store, record.id, options->restart, options->restart_max,
					   err);
	return rc;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(update_release))) struct update update = {
		.options = RUN_OPTIONS_INIT,
	};
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_update, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (strcmp(option->name, "restart") == 0) {
			update.restart = true;
			rc = run_value_restart(option, value, &update.options.restart,
					       &update.options.restart_max, err);
		} else {
			update.limits = true;
			rc = options_take(&cmd_update, option, value, &update.options, err);
		}
		if (rc < 0)
			return -1;
	}
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0)
		return -1;
	if (!update.limits && !update.restart) {
		err_set(err, ERR_USAGE, EINVAL, "update: nothing to change was given");
		return -1;
	}
	return operands_each(app, argv + parse.next, argc - parse.next, change, &update, err);
}

const struct cmd cmd_update = {
	.name = "update",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER...",
	.summary = "change limits and restart policy of containers",
	.details = "A container that runs has its new limits at once, and all keep them for the "
		   "starts to come. What is not given stays; 0 takes a limit away.",
	.options =
		(const struct cmd_option[]){
			{ 0, "restart", "POLICY",
			  "no, on-failure[:N], always or unless-stopped: start it again" },
			{ 0, NULL, NULL, NULL },
		},
	.groups =
		(const struct option_group *const[]){
			&run_options_limits,
			NULL,
		},
	.run = run,
};
