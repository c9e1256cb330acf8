/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: who the payload is and what it starts with. */
#include "manager/cmd/run_options_groups.h"

#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"

enum {
	OPT_ENV,
	OPT_ENV_FILE,
	OPT_WORKDIR,
	OPT_USER,
	OPT_INIT,
	OPT_NO_INIT,
};

static const struct cmd_option options[] = {
	[OPT_ENV] = { 'e', "env", "KEY[=VALUE]",
		      "set an environment variable, or pass on the one of this name" },
	[OPT_ENV_FILE] = { 0, "env-file", "FILE", "set those that a file names, one a line" },
	[OPT_WORKDIR] = { 'w', "workdir", "DIR",
			  "working directory inside; made if it is missing" },
	[OPT_USER] = { 'u', "user", "USER[:GROUP]", "names of the image, or numbers" },
	[OPT_INIT] = { 0, "init", NULL, "process 1 is ctinit, which reaps orphans (default)" },
	[OPT_NO_INIT] = { 0, "no-init", NULL, "process 1 is the payload itself" },
	{ 0, NULL, NULL, NULL },
};

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct container_options *out = &((struct run_options *)into)->container;

	switch (which) {
	case OPT_ENV:
		return run_value_env(option, value, &out->env, err);
	case OPT_ENV_FILE:
		/* Taken before all others, so that --env wins wherever it stands. */
		return 0;
	case OPT_WORKDIR:
		out->workdir = value;
		return run_value_absolute(option, value, err);
	case OPT_USER:
		out->user = value;
		return 0;
	default:
		out->init = which == OPT_INIT;
		return 0;
	}
}

const struct option_group run_options_process = {
	.heading = "Process",
	.options = options,
	.take = take,
};
