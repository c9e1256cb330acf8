/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/complete_values.h"

#include <stdbool.h>
#include <string.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/image_choice.h"
#include "manager/cmd/progress.h"

struct known {
	const char *word;
	const char *values;
};

/* By the name of the option. */
static const struct known by_name[] = {
	{ "network", "none|private|host|container:|ns:" },
	{ "net", "none|private|host|container:|ns:" },
	{ "pid", "private|host|container:" },
	{ "ipc", "shareable|private|none|host|container:" },
	{ "uts", "private|host" },
	{ "cgroupns", "private|host" },
	{ "pull", PULL_POLICIES },
	{ "names", "auto|always|never" },
	{ "log-driver", "sqlite|none" },
	{ "log-opt", "max-size=" },
	{ "security-opt", "seccomp=|seccomp=unconfined|no-new-privileges|no-new-privileges=false|"
			  "mask=|unmask=|unmask=ALL|systempaths=unconfined|label=disable|"
			  "apparmor=unconfined" },
	{ "sort",
	  "name|image|command|id|created|started|finished|status|exited|pid|size|restarts" },
	{ "mount", "type=bind,|type=volume,|type=tmpfs," },
	{ NULL, NULL },
};

/* By what its value is called. */
static const struct known by_metavariable[] = {
	{ "FORMAT", "json|table" },
	{ "LEVEL", "error|warn|info|debug" },
	{ "ARCHIVE", "oci|oci-dir|docker" },
	{ "COMPRESSION", "zstd|gzip|none" },
	{ "TYPE", "container|image|volume" },
	{ "BOOL", "true|false" },
	{ "TIME", "now|today|yesterday" },
	{ "HOW", PROGRESS_MODES },
	{ "POLICY", "no|on-failure|always|unless-stopped" },
	{ "ACTION", "none|kill|restart|stop" },
	{ "STREAM", "stdin|stdout|stderr" },
	{ "CONDITION", "not-running|next-exit|removed|created|running|paused|exited|"
		       "removing|healthy|unhealthy" },
	{ NULL, NULL },
};

/* Filters, by the command that has them. */
static const char *filters_of(const struct cmd *cmd)
{
	static const struct {
		const struct cmd *cmd;
		const char *keys;
	} known[] = {
		{ &cmd_images, "dangling=|reference=|label=|before=|since=|until=" },
		{ &cmd_events, "container=|image=|volume=|event=|type=|label=" },
		{ &cmd_prune, "until=|label=" },
		{ &cmd_volume_ls, "dangling=|driver=|label=|label!=|name=" },
		{ &cmd_volume_prune, "label=|label!=|name=" },
	};
	static const struct cmd *const of_containers[] = {
		&cmd_ps, &cmd_kill, &cmd_stop, &cmd_rm, &cmd_pause, &cmd_unpause, &cmd_wait,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].cmd == cmd)
			return known[i].keys;
	for (size_t i = 0; i < sizeof(of_containers) / sizeof(of_containers[0]); i++)
		if (of_containers[i] == cmd)
			return "id=|name=|status=|exited=|image=|ancestor=|label=|health=|before=|"
			       "since=|volume=|network=";
	return NULL;
}

static const char *find(const struct known *known, const char *word)
{
	for (; known->word; known++)
		if (strcmp(known->word, word) == 0)
			return known->values;
	return NULL;
}

const char *complete_values(const struct cmd *cmd, const struct cmd_option *option)
{
	const char *values = find(by_name, option->name);

	if (!values)
		values = find(by_metavariable, option->value);
	if (!values && strcmp(option->name, "filter") == 0)
		values = filters_of(cmd);
	return values;
}

bool complete_suits(const struct cmd *cmd, enum container_state state)
{
	static const struct cmd *const of_running[] = {
		&cmd_attach, &cmd_healthcheck_run, &cmd_kill, &cmd_stats, &cmd_stop, &cmd_top,
	};
	const bool runs = state == CONTAINER_RUNNING || state == CONTAINER_PAUSED ||
			  state == CONTAINER_RESTARTING;

	if (cmd == &cmd_start)
		return !runs;
	if (cmd == &cmd_exec || cmd == &cmd_pause)
		return state == CONTAINER_RUNNING;
	if (cmd == &cmd_unpause)
		return state == CONTAINER_PAUSED;
	for (size_t i = 0; i < sizeof(of_running) / sizeof(of_running[0]); i++)
		if (of_running[i] == cmd)
			return runs;
	return true;
}
