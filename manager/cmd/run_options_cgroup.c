/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: limits of processes, and those that are for the container's life. */
#include "manager/cmd/run_options_groups.h"

#include "manager/cmd/limit_values.h"
#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"

enum {
	OPT_ULIMIT,
	OPT_OOM_SCORE_ADJ,
	OPT_OOM_KILL_DISABLE,
	OPT_CGROUP_PARENT,
	OPT_DEVICE_CGROUP_RULE,
};

static const struct cmd_option options[] = {
	[OPT_ULIMIT] = { 0, "ulimit", "NAME=SOFT[:HARD]",
			 "limit of each process, such as nofile=1024:4096" },
	[OPT_OOM_SCORE_ADJ] = { 0, "oom-score-adj", "NUMBER",
				"how readily the kernel kills it for memory, -1000 to 1000" },
	[OPT_OOM_KILL_DISABLE] = { 0, "oom-kill-disable", NULL,
				   "at the limit of memory, wait and do not kill; cgroup v1 only" },
	[OPT_CGROUP_PARENT] = { 0, "cgroup-parent", "PATH",
				"make its cgroup below this one (default: /cman)" },
	[OPT_DEVICE_CGROUP_RULE] = { 0, "device-cgroup-rule", "RULE",
				     "allow access to devices, such as 'c 10:229 rwm'" },
	{ 0, NULL, NULL, NULL },
};

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct limits *limits = &((struct run_options *)into)->container.limits;
	int64_t number = 0;
	int rc;

	switch (which) {
	case OPT_ULIMIT:
		return limit_value_ulimit(option, value, limits, err);
	case OPT_OOM_SCORE_ADJ:
		rc = option_int(option, value, -1000, 1000, &number, err);
		limits->has_oom_score_adj = true;
		limits->oom_score_adj = (int)number;
		return rc;
	case OPT_OOM_KILL_DISABLE:
		limits->resources.oom_kill_disable = true;
		return 0;
	case OPT_CGROUP_PARENT:
		return limit_value_cgroup(option, value, &limits->cgroup_parent, err);
	default:
		return limit_value_device_rule(option, value, limits, err);
	}
}

const struct option_group run_options_cgroup = {
	.heading = "Processes and devices",
	.options = options,
	.take = take,
};
