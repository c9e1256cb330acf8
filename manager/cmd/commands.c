/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/commands.h"

#include <errno.h>
#include <string.h>

#include "manager/cmd/suggest.h"

const struct cmd *const commands[] = {
	&cmd_run,  &cmd_exec,  &cmd_ps,	     &cmd_logs, &cmd_stop,     &cmd_kill,
	&cmd_wait, &cmd_rm,    &cmd_inspect, &cmd_pull, &cmd_images,   &cmd_rmi,
	&cmd_df,   &cmd_prune, &cmd_version, &cmd_help, &cmd_complete, NULL,
};

static const struct cmd_option global_options[] = {
	{ 0, "root", "DIR", "keep everything in DIR (CMAN_ROOT; /var/lib/cman)" },
	{ 0, "log-level", "LEVEL", "tell more on stderr: error, warn (as usual), info, debug" },
	{ 'v', "version", NULL, "print the version" },
	{ 0, NULL, NULL, NULL },
};

const struct cmd cmd_global = {
	.name = "cman",
	.operands = "[OPTIONS] COMMAND [ARG...]",
	.summary = "containers without a daemon",
	.options = global_options,
};

const struct cmd *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

int command_get(const char *name, const struct cmd **out, struct err *err)
{
	const struct cmd *found = command_find(name);
	struct suggest suggest;

	if (found) {
		*out = found;
		return 0;
	}
	suggest_begin(&suggest, name, strlen(name));
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->group)
			suggest_offer(&suggest, commands[i]->name);
	err_set(err, ERR_USAGE, EINVAL, "unknown command: %s", name);
	if (suggest_best(&suggest))
		err_hint(err, "did you mean %s?", suggest_best(&suggest));
	return err_code(err);
}
