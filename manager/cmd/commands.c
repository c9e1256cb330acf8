/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/commands.h"

#include <errno.h>
#include <string.h>

#include "manager/cmd/options.h"
#include "manager/cmd/suggest.h"
#include "store/base/buf.h"

/* One a line: lists that two have added to merge by themselves then. */
/* clang-format off */
const struct cmd *const commands[] = {
	&cmd_run,
	&cmd_create,
	&cmd_start,
	&cmd_restart,
	&cmd_attach,
	&cmd_exec,
	&cmd_ps,
	&cmd_top,
	&cmd_stats,
	&cmd_logs,
	&cmd_stop,
	&cmd_kill,
	&cmd_pause,
	&cmd_unpause,
	&cmd_wait,
	&cmd_update,
	&cmd_rename,
	&cmd_rm,
	&cmd_commit,
	&cmd_diff,
	&cmd_cp,
	&cmd_export,
	&cmd_inspect,
	&cmd_why,
	&cmd_healthcheck,
	&cmd_pull,
	&cmd_images,
	&cmd_rmi,
	&cmd_import,
	&cmd_image,
	&cmd_tag,
	&cmd_history,
	&cmd_load,
	&cmd_save,
	&cmd_df,
	&cmd_prune,
	&cmd_volume,
	&cmd_fsck,
	&cmd_push,
	&cmd_copy,
	&cmd_login,
	&cmd_logout,
	&cmd_version,
	&cmd_info,
	&cmd_events,
	&cmd_boot,
	&cmd_help,
	&cmd_complete,
	NULL,
};
/* clang-format on */

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

/* What docker and podman call what has another name here. */
static const struct {
	const char *group; /* "": of none */
	const char *word;
	const char *hint;
} elsewhere[] = {
	{ "", "build", "buildah or docker build it, and cman load takes what they make" },
	{ "", "compose", "each of its services is a cman run -d --name SERVICE" },
	{ "", "container", "containers have no group of commands: cman ps, cman run, cman rm, …" },
	{ "", "delete", "did you mean rm?" },
	{ "", "list", "did you mean ps?" },
	{ "", "ls", "did you mean ps?" },
	{ "", "mount", "did you mean image mount?" },
	{ "", "network", "run chooses it: --network host, none, container:NAME or ns:PATH" },
	{ "", "pod", "containers share by run --network, --ipc and --pid container:NAME" },
	{ "", "port", "no port is published yet: with run --network host they are the host's" },
	{ "", "remove", "did you mean rm?" },
	{ "", "search", "registries are not searched: cman pull takes the whole name" },
	{ "", "secret", "run --secret FILE hands a file to one container" },
	{ "", "sh", "did you mean exec NAME sh?" },
	{ "", "shell", "did you mean exec NAME sh?" },
	{ "", "system", "there is cman info, cman df, cman prune and cman fsck" },
	{ "", "untag", "cman rmi takes a name away" },
	{ "", "umount", "did you mean image unmount?" },
	{ "", "unmount", "did you mean image unmount?" },
	{ "image", "list", "did you mean cman images?" },
	{ "image", "ls", "did you mean cman images?" },
	{ "image", "remove", "did you mean cman rmi?" },
	{ "image", "rm", "did you mean cman rmi?" },
	{ "image", "umount", "did you mean unmount?" },
	{ "volume", "list", "did you mean ls?" },
	{ "volume", "remove", "did you mean rm?" },
};

/* `group` NULL: none. */
static int unknown(const struct cmd *group, const char *name, const struct cmd *const *among,
		   struct err *err)
{
	const struct cmd *alone = group ? command_find(name) : NULL;
	const char *of = group ? group->name : "";
	struct suggest suggest;

	err_set(err, ERR_USAGE, EINVAL, "%s%sunknown command: %s", of, group ? ": " : "", name);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (strcmp(elsewhere[i].group, of) == 0 && strcmp(elsewhere[i].word, name) == 0)
			return err_hint(err, "%s", elsewhere[i].hint);
	if (alone && alone->group)
		return err_hint(err, "did you mean cman %s?", alone->name);
	suggest_begin(&suggest, name, strlen(name));
	for (size_t i = 0; among[i]; i++)
		if (among[i]->group)
			suggest_offer(&suggest, command_word(among[i]));
	return suggest_best(&suggest) ? err_hint(err, "did you mean %s?", suggest_best(&suggest)) :
					err_code(err);
}

int command_get(const char *name, const struct cmd **out, struct err *err)
{
	const struct cmd *found = command_find(name);

	if (!found)
		return unknown(NULL, name, commands, err);
	*out = found;
	return 0;
}

const char *command_word(const struct cmd *cmd)
{
	const char *blank = strrchr(cmd->name, ' ');

	return blank ? blank + 1 : cmd->name;
}

int command_descend(const struct cmd **cmd, int argc, char **argv, int *next, struct err *err)
{
	const char *word = *next + 1 < argc ? argv[*next + 1] : NULL;

	if (!(*cmd)->subcommands || !word || word[0] == '-')
		return 0;
	for (const struct cmd *const *sub = (*cmd)->subcommands; *sub; sub++)
		if (strcmp(command_word(*sub), word) == 0) {
			*cmd = *sub;
			++*next;
			return 0;
		}
	return unknown(*cmd, word, (*cmd)->subcommands, err);
}

static int hint_commands(const struct cmd *group, struct err *err)
{
	AUTO_BUF struct buf words = BUF_INIT;

	for (const struct cmd *const *sub = group->subcommands; *sub; sub++)
		buf_addf(&words, "%s%s",
			 words.len	       ? ", " :
			 group->subcommands[1] ? "one of " :
						 "",
			 command_word(*sub));
	return buf_failed(&words) ? err_code(err) : err_hint(err, "%s", words.data);
}

int command_group_run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct cmd *group = command_find(argv[0]);
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;

	(void)app;
	options_begin(&parse, group, argc, argv);
	if (options_next(&parse, &option, &value, err) < 0)
		return -1;
	err_set(err, ERR_USAGE, EINVAL, "%s: no command was given", group->name);
	return hint_commands(group, err);
}
