/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/run_options.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/options.h"
#include "manager/cmd/run_values.h"
#include "manager/cmd/terminal.h"

#define STOP_TIMEOUT_DEFAULT 10
/* Below this no program can start; Docker asks for 6 MiB. */
#define MEMORY_MIN (1 << 20)

enum {
	OPT_DETACH,
	OPT_NAME,
	OPT_IMAGE,
	OPT_PULL,
	OPT_INTERACTIVE,
	OPT_TTY,
	OPT_DETACH_KEYS,
	OPT_RM,
	OPT_ENV,
	OPT_ENV_FILE,
	OPT_WORKDIR,
	OPT_USER,
	OPT_HOSTNAME,
	OPT_VOLUME,
	OPT_TMPFS,
	OPT_READ_ONLY,
	OPT_NETWORK,
	OPT_MEMORY,
	OPT_CPUS,
	OPT_CPUSET_CPUS,
	OPT_CPU_SHARES,
	OPT_PIDS_LIMIT,
	OPT_STOP_SIGNAL,
	OPT_STOP_TIMEOUT,
	OPT_INIT,
	OPT_NO_INIT,
};

const struct cmd_option run_option_table[] = {
	[OPT_DETACH] = { 'd', "detach", NULL,
			 "run in the background and print the container's ID" },
	[OPT_NAME] = { 0, "name", "NAME", "name of the container (default: one is made up)" },
	[OPT_IMAGE] = { 0, "image", "IMAGE", "the image; then all words are the command" },
	[OPT_PULL] = { 0, "pull", "WHEN", PULL_POLICIES " (missing)" },
	[OPT_INTERACTIVE] = { 'i', "interactive", NULL, "pass stdin on to the payload" },
	[OPT_TTY] = { 't', "tty", NULL, "give the payload a terminal" },
	[OPT_DETACH_KEYS] = { 0, "detach-keys", "KEYS",
			      "keys that leave it running (default: " DETACH_KEYS_DEFAULT ")" },
	[OPT_RM] = { 0, "rm", NULL, "remove the container when it has ended" },
	[OPT_ENV] = { 'e', "env", "KEY[=VALUE]",
		      "set an environment variable, or pass on the one of this name" },
	[OPT_ENV_FILE] = { 0, "env-file", "FILE", "set those that a file names, one a line" },
	[OPT_WORKDIR] = { 'w', "workdir", "DIR",
			  "working directory inside; made if it is missing" },
	[OPT_USER] = { 'u', "user", "USER[:GROUP]", "names of the image, or numbers" },
	[OPT_HOSTNAME] = { 'h', "hostname", "NAME",
			   "host name inside (default: 12 digits of the ID)" },
	[OPT_VOLUME] = { 'v', "volume", "SRC:DST[:ro]", "mount a file or directory of the host" },
	[OPT_TMPFS] = { 0, "tmpfs", "DST[:OPTIONS]", "mount an empty file system in memory" },
	[OPT_READ_ONLY] = { 0, "read-only", NULL, "make the root file system read-only" },
	[OPT_NETWORK] = { 0, "network", "MODE", "none (default: only a loopback) or host" },
	[OPT_MEMORY] = { 'm', "memory", "SIZE", "limit of memory, such as 512m" },
	[OPT_CPUS] = { 0, "cpus", "NUMBER", "limit of processor time, such as 1.5" },
	[OPT_CPUSET_CPUS] = { 0, "cpuset-cpus", "LIST", "processors to run on, such as 0-2,5" },
	[OPT_CPU_SHARES] = { 0, "cpu-shares", "NUMBER", "weight against others (default: 1024)" },
	[OPT_PIDS_LIMIT] = { 0, "pids-limit", "NUMBER", "limit of processes and threads" },
	[OPT_STOP_SIGNAL] = { 0, "stop-signal", "SIGNAL",
			      "what `cman stop` sends (default: the image's, or TERM)" },
	[OPT_STOP_TIMEOUT] = { 0, "stop-timeout", "SECONDS",
			       "how long `cman stop` waits before it kills (default: 10)" },
	[OPT_INIT] = { 0, "init", NULL, "process 1 is ctinit, which reaps orphans (default)" },
	[OPT_NO_INIT] = { 0, "no-init", NULL, "process 1 is the payload itself" },
	{ 0, NULL, NULL, NULL },
};

void run_options_release(struct run_options *options)
{
	container_options_release(&options->container);
}

static int take_network(const char *value, bool *host, struct err *err)
{
	if (strcmp(value, "none") != 0 && strcmp(value, "host") != 0)
		return err_set(err, ERR_USAGE, 0, "--network: not none or host: %s", value);
	*host = strcmp(value, "host") == 0;
	return 0;
}

static int take_memory(const struct cmd_option *option, const char *value, int64_t *out,
		       struct err *err)
{
	int64_t memory;
	int rc = option_size(option, value, &memory, err);

	if (rc < 0)
		return rc;
	if (memory != 0 && memory < MEMORY_MIN)
		return err_set(err, ERR_USAGE, 0, "--memory: less than the smallest limit, 1m: %s",
			       value);
	*out = memory;
	return 0;
}

/* A number from `min` to `max`, 0 and below meaning none where min allows it. */
static int take_limit(const struct cmd_option *option, const char *value, int64_t min, int64_t max,
		      int64_t *out, struct err *err)
{
	int64_t number;
	int rc = option_int(option, value, min, max, &number, err);

	if (rc == 0)
		*out = number < 0 ? 0 : number;
	return rc;
}

/* Options about limits and the end. Returns 1 when it is none of them. */
static int take_limit_option(int which, const struct cmd_option *option, const char *value,
			     struct run_options *out, struct err *err)
{
	struct container_options *container = &out->container;
	int64_t number = 0;
	int rc;

	switch (which) {
	case OPT_MEMORY:
		return take_memory(option, value, &container->memory, err);
	case OPT_CPUS:
		return run_value_cpus(option, value, &container->cpus, err);
	case OPT_CPUSET_CPUS:
		container->cpuset_cpus = value;
		return run_value_cpuset(option, value, err);
	case OPT_CPU_SHARES:
		rc = take_limit(option, value, 0, 262144, &number, err);
		container->cpu_shares = (uint64_t)number;
		return rc;
	case OPT_PIDS_LIMIT:
		return take_limit(option, value, -1, INT_MAX, &container->pids_limit, err);
	case OPT_STOP_SIGNAL:
		return option_signal(option, value, &container->stop_signal, err);
	case OPT_STOP_TIMEOUT:
		rc = option_int(option, value, -1, INT_MAX, &number, err);
		out->stop_timeout_s = (int)number;
		return rc;
	default:
		return 1;
	}
}

/* Options about what the payload finds inside. Returns 1 when it is none of them. */
static int take_inside_option(int which, const struct cmd_option *option, const char *value,
			      struct container_options *out, struct err *err)
{
	switch (which) {
	case OPT_ENV:
		return run_value_env(option, value, &out->env, err);
	case OPT_ENV_FILE:
		/* Taken before, so that --env wins wherever it stands. */
		return 0;
	case OPT_WORKDIR:
		out->workdir = value;
		return run_value_absolute(option, value, err);
	case OPT_USER:
		out->user = value;
		return 0;
	case OPT_HOSTNAME:
		out->hostname = value;
		return run_value_hostname(option, value, err);
	case OPT_VOLUME:
		return run_value_volume(option, value, out, err);
	case OPT_TMPFS:
		return run_value_tmpfs(option, value, out, err);
	case OPT_READ_ONLY:
		out->read_only = true;
		return 0;
	case OPT_NETWORK:
		return take_network(value, &out->host_network, err);
	case OPT_INIT:
	case OPT_NO_INIT:
		out->init = which == OPT_INIT;
		return 0;
	default:
		return 1;
	}
}

static int take_option(int which, const struct cmd_option *option, const char *value,
		       struct run_options *out, struct err *err)
{
	int rc;

	switch (which) {
	case OPT_DETACH:
		out->detach = true;
		return 0;
	case OPT_NAME:
		out->name = value;
		return run_value_name(option, value, err);
	case OPT_IMAGE:
		out->image = value;
		return 0;
	case OPT_PULL:
		return pull_policy_parse(value, &out->pull, err);
	case OPT_INTERACTIVE:
		out->interactive = true;
		return 0;
	case OPT_TTY:
		out->tty = true;
		return 0;
	case OPT_DETACH_KEYS:
		return detach_keys_parse(value, &out->keys, err);
	case OPT_RM:
		out->auto_remove = true;
		return 0;
	default:
		rc = take_inside_option(which, option, value, &out->container, err);
		return rc == 1 ? take_limit_option(which, option, value, out, err) : rc;
	}
}

/* One pass over the options; `files`: only --env-file, else all but it. */
static int parse_pass(const struct cmd *cmd, int argc, char **argv, bool files,
		      struct run_options *out, struct err *err)
{
	struct option_parse parse;
	const struct cmd_option *option;
	const char *value;
	int rc;

	options_begin(&parse, cmd, argc, argv);
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		int which = (int)(option - cmd->options);

		if (!files)
			rc = take_option(which, option, value, out, err);
		else if (which == OPT_ENV_FILE)
			rc = run_value_env_file(option, value, &out->container.env, err);
		if (rc < 0)
			return rc;
	}
	out->words = argv + parse.next;
	if (rc == 0 && out->words[0] && out->words[0][0] == '\0')
		return err_set(err, ERR_USAGE, 0,
			       "run: an empty word is neither an image nor a command");
	return rc;
}

static int check_terminal(struct run_options *options, struct err *err)
{
	struct container_options *container = &options->container;

	if (!options->tty)
		return 0;
	if (options->interactive && !options->detach && !isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, 0, "--tty with --interactive: stdin is not a terminal");
		return err_hint(err, "leave out -t to pass on what comes from a pipe or file");
	}
	terminal_size(isatty(STDIN_FILENO) ? STDIN_FILENO : STDOUT_FILENO, &container->rows,
		      &container->cols);
	return 0;
}

int run_options_parse(const struct cmd *cmd, int argc, char **argv, struct run_options *out,
		      struct err *err)
{
	AUTO_RUN_OPTIONS struct run_options options = {
		.stop_timeout_s = STOP_TIMEOUT_DEFAULT,
		.container = { .init = true },
	};
	int rc = detach_keys_parse(DETACH_KEYS_DEFAULT, &options.keys, err);

	if (rc == 0)
		rc = parse_pass(cmd, argc, argv, true, &options, err);
	if (rc == 0)
		rc = parse_pass(cmd, argc, argv, false, &options, err);
	if (rc == 0)
		rc = check_terminal(&options, err);
	if (rc < 0)
		return rc;
	options.container.tty = options.tty;
	options.container.open_stdin = options.interactive;
	options.container.is_volatile = options.auto_remove;
	*out = options;
	options = (struct run_options)RUN_OPTIONS_INIT;
	return 0;
}
