/* SPDX-License-Identifier: Apache-2.0 */
/* rename: another name for a container. */
#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/run_values.h"
#include "manager/lifecycle.h"

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_STORE struct store store = STORE_INIT;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value, *name;

	options_begin(&parse, &cmd_rename, argc, argv);
	parse.interspersed = true;
	/* There are no options: the end or an error. */
	if (options_next(&parse, &option, &value, err) < 0 ||
	    options_operands(&parse, 2, 2, err) < 0)
		return -1;
	name = argv[parse.next + 1];
	if (run_value_check_name(name, err) < 0) {
		err_wrap(err, "rename");
		return -1;
	}
	if (store_open(app->root, &store, err) < 0 ||
	    container_find(&store, argv[parse.next], &record, err) < 0)
		return -1;
	return container_rename(&store, record.id, name, err) < 0 ? -1 : 0;
}

const struct cmd cmd_rename = {
	.name = "rename",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "CONTAINER NAME",
	.summary = "give a container another name",
	.details =
		"The name that is shown and that commands take, whether it runs or not. The host name "
		"inside, and what is recorded under the container's ID, stay as they are.",
	.run = run,
};
