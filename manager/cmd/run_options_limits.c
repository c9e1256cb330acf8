/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create (and update): how much the container may use. */
#include "manager/cmd/run_options_groups.h"

#include <limits.h>

#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"

enum {
	OPT_MEMORY,
	OPT_CPUS,
	OPT_CPUSET_CPUS,
	OPT_CPU_SHARES,
	OPT_PIDS_LIMIT,
};

static const struct cmd_option options[] = {
	[OPT_MEMORY] = { 'm', "memory", "SIZE", "limit of memory, such as 512m" },
	[OPT_CPUS] = { 0, "cpus", "NUMBER", "limit of processor time, such as 1.5" },
	[OPT_CPUSET_CPUS] = { 0, "cpuset-cpus", "LIST", "processors to run on, such as 0-2,5" },
	[OPT_CPU_SHARES] = { 0, "cpu-shares", "NUMBER", "weight against others (default: 1024)" },
	[OPT_PIDS_LIMIT] = { 0, "pids-limit", "NUMBER", "limit of processes and threads" },
	{ 0, NULL, NULL, NULL },
};

/* Below this no program can start; Docker asks for 6 MiB. */
#define MEMORY_MIN (1 << 20)

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

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct container_options *container = &((struct run_options *)into)->container;
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
	default:
		return take_limit(option, value, -1, INT_MAX, &container->pids_limit, err);
	}
}

const struct option_group run_options_limits = {
	.heading = "Limits",
	.options = options,
	.take = take,
};
