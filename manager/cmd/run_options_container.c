/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: what the container is, and how it is attended. */
#include "manager/cmd/run_options_groups.h"

#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"

enum {
	OPT_NAME,
	OPT_IMAGE,
	OPT_PULL,
	OPT_INTERACTIVE,
	OPT_TTY,
	OPT_RM,
};

static const struct cmd_option options[] = {
	[OPT_NAME] = { 0, "name", "NAME", "name of the container (default: one is made up)" },
	[OPT_IMAGE] = { 0, "image", "IMAGE", "the image; then all words are the command" },
	[OPT_PULL] = { 0, "pull", "WHEN", PULL_POLICIES " (missing)" },
	[OPT_INTERACTIVE] = { 'i', "interactive", NULL, "pass stdin on to the payload" },
	[OPT_TTY] = { 't', "tty", NULL, "give the payload a terminal" },
	[OPT_RM] = { 0, "rm", NULL, "remove the container when it has ended" },
	{ 0, NULL, NULL, NULL },
};

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct run_options *out = into;

	switch (which) {
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
	default:
		out->auto_remove = true;
		return 0;
	}
}

const struct option_group run_options_container = {
	.heading = "Container",
	.options = options,
	.take = take,
};
