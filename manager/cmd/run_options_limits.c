/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run, create and update: how much the container may use. */
#include "manager/cmd/run_options_groups.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/limit_values.h"
#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"

/* Microseconds: a thousandth of a second, and a second. */
#define CPU_PERIOD_MIN 1000
#define CPU_PERIOD_MAX 1000000
#define CPU_SHARES_MAX 262144

enum {
	OPT_MEMORY,
	OPT_MEMORY_RESERVATION,
	OPT_MEMORY_SWAP,
	OPT_MEMORY_SWAPPINESS,
	OPT_CPUS,
	OPT_CPU_PERIOD,
	OPT_CPU_QUOTA,
	OPT_CPU_SHARES,
	OPT_CPUSET_CPUS,
	OPT_CPUSET_MEMS,
	OPT_PIDS_LIMIT,
	OPT_BLKIO_WEIGHT,
	OPT_BLKIO_WEIGHT_DEVICE,
	OPT_DEVICE_READ_BPS,
	OPT_DEVICE_WRITE_BPS,
	OPT_DEVICE_READ_IOPS,
	OPT_DEVICE_WRITE_IOPS,
};

static const struct cmd_option options[] = {
	[OPT_MEMORY] = { 'm', "memory", "SIZE", "limit of memory, such as 512m" },
	[OPT_MEMORY_RESERVATION] = { 0, "memory-reservation", "SIZE",
				     "what it is left with while others need memory" },
	[OPT_MEMORY_SWAP] = { 0, "memory-swap", "SIZE",
			      "limit of memory and swap together (default: twice --memory)" },
	[OPT_MEMORY_SWAPPINESS] = { 0, "memory-swappiness", "PERCENT",
				    "how readily it is swapped out; cgroup v1 only" },
	[OPT_CPUS] = { 0, "cpus", "NUMBER", "limit of processor time, such as 1.5" },
	[OPT_CPU_PERIOD] = { 0, "cpu-period", "MICROSECONDS",
			     "span that --cpu-quota is a part of" },
	[OPT_CPU_QUOTA] = { 0, "cpu-quota", "MICROSECONDS", "processor time in each --cpu-period" },
	[OPT_CPU_SHARES] = { 'c', "cpu-shares", "NUMBER", "weight against others (default: 1024)" },
	[OPT_CPUSET_CPUS] = { 0, "cpuset-cpus", "LIST", "processors to run on, such as 0-2,5" },
	[OPT_CPUSET_MEMS] = { 0, "cpuset-mems", "LIST", "memory nodes to use, such as 0" },
	[OPT_PIDS_LIMIT] = { 0, "pids-limit", "NUMBER", "limit of processes and threads" },
	[OPT_BLKIO_WEIGHT] = { 0, "blkio-weight", "NUMBER",
			       "weight of block I/O against others, 10 to 1000" },
	[OPT_BLKIO_WEIGHT_DEVICE] = { 0, "blkio-weight-device", "DEVICE:NUMBER",
				      "the same for one device" },
	[OPT_DEVICE_READ_BPS] = { 0, "device-read-bps", "DEVICE:SIZE",
				  "bytes a second read from a device" },
	[OPT_DEVICE_WRITE_BPS] = { 0, "device-write-bps", "DEVICE:SIZE",
				   "bytes a second written to a device" },
	[OPT_DEVICE_READ_IOPS] = { 0, "device-read-iops", "DEVICE:NUMBER",
				   "reads a second from a device" },
	[OPT_DEVICE_WRITE_IOPS] = { 0, "device-write-iops", "DEVICE:NUMBER",
				    "writes a second to a device" },
	{ 0, NULL, NULL, NULL },
};

static int take_memory(int which, const struct cmd_option *option, const char *value,
		       struct limits *limits, struct err *err)
{
	struct spec_resources *resources = &limits->resources;
	int64_t number = 0;
	int rc;

	switch (which) {
	case OPT_MEMORY:
		limits->given |= 1u << LIMIT_MEMORY;
		return limit_value_memory(option, value, &resources->memory_limit, err);
	case OPT_MEMORY_RESERVATION:
		limits->given |= 1u << LIMIT_MEMORY_RESERVATION;
		return limit_value_memory(option, value, &resources->memory_reservation, err);
	case OPT_MEMORY_SWAP:
		limits->given |= 1u << LIMIT_MEMORY_SWAP;
		return limit_value_swap(option, value, &resources->memory_swap, err);
	default:
		limits->given |= 1u << LIMIT_MEMORY_SWAPPINESS;
		rc = option_int(option, value, -1, 100, &number, err);
		resources->has_swappiness = number >= 0;
		resources->swappiness = number >= 0 ? number : 0;
		return rc;
	}
}

static int replace(char **text, const char *value, struct err *err)
{
	free(*text);
	*text = strdup(value);
	return *text ? 0 : err_sys(err, ENOMEM, "cannot keep the options");
}

static int take_cpuset(int which, const struct cmd_option *option, const char *value,
		       struct limits *limits, struct err *err)
{
	const bool cpus = which == OPT_CPUSET_CPUS;
	struct spec_resources *resources = &limits->resources;
	int rc = limit_value_cpuset(option, value, cpus ? "processors" : "memory nodes", err);

	limits->given |= 1u << (cpus ? LIMIT_CPUSET_CPUS : LIMIT_CPUSET_MEMS);
	if (rc < 0)
		return rc;
	return replace(cpus ? &resources->cpuset_cpus : &resources->cpuset_mems, value, err);
}

static int take_cpu(int which, const struct cmd_option *option, const char *value,
		    struct limits *limits, struct err *err)
{
	struct spec_resources *resources = &limits->resources;
	int64_t number = 0;
	int rc;

	switch (which) {
	case OPT_CPUS:
		limits->given |= 1u << LIMIT_CPUS;
		return limit_value_cpus(option, value, &resources->cpu_period,
					&resources->cpu_quota, err);
	case OPT_CPU_PERIOD:
		limits->given |= 1u << LIMIT_CPU_PERIOD;
		rc = limit_value_number(option, value, CPU_PERIOD_MIN, CPU_PERIOD_MAX, &number,
					err);
		resources->cpu_period = (uint64_t)number;
		return rc;
	case OPT_CPU_QUOTA:
		limits->given |= 1u << LIMIT_CPU_QUOTA;
		return limit_value_number(option, value, CPU_PERIOD_MIN, INT64_MAX / 1000,
					  &resources->cpu_quota, err);
	default:
		limits->given |= 1u << LIMIT_CPU_SHARES;
		rc = option_int(option, value, 0, CPU_SHARES_MAX, &number, err);
		resources->cpu_shares = (uint64_t)number;
		return rc;
	}
}

static int take_block(int which, const struct cmd_option *option, const char *value,
		      struct limits *limits, struct err *err)
{
	static const enum spec_block_kind kinds[] = {
		[OPT_BLKIO_WEIGHT_DEVICE] = SPEC_BLOCK_WEIGHT,
		[OPT_DEVICE_READ_BPS] = SPEC_BLOCK_READ_BPS,
		[OPT_DEVICE_WRITE_BPS] = SPEC_BLOCK_WRITE_BPS,
		[OPT_DEVICE_READ_IOPS] = SPEC_BLOCK_READ_IOPS,
		[OPT_DEVICE_WRITE_IOPS] = SPEC_BLOCK_WRITE_IOPS,
	};
	int64_t number = 0;
	int rc;

	if (which != OPT_BLKIO_WEIGHT)
		return limit_value_block(option, value, kinds[which], limits, err);
	limits->given |= 1u << LIMIT_BLOCK_WEIGHT;
	rc = limit_value_number(option, value, SPEC_BLOCK_WEIGHT_MIN, SPEC_BLOCK_WEIGHT_MAX,
				&number, err);
	limits->resources.block_weight = (uint64_t)number;
	return rc;
}

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct limits *limits = &((struct run_options *)into)->container.limits;

	switch (which) {
	case OPT_MEMORY:
	case OPT_MEMORY_RESERVATION:
	case OPT_MEMORY_SWAP:
	case OPT_MEMORY_SWAPPINESS:
		return take_memory(which, option, value, limits, err);
	case OPT_CPUS:
	case OPT_CPU_PERIOD:
	case OPT_CPU_QUOTA:
	case OPT_CPU_SHARES:
		return take_cpu(which, option, value, limits, err);
	case OPT_CPUSET_CPUS:
	case OPT_CPUSET_MEMS:
		return take_cpuset(which, option, value, limits, err);
	case OPT_PIDS_LIMIT:
		limits->given |= 1u << LIMIT_PIDS;
		return limit_value_number(option, value, 1, INT_MAX, &limits->resources.pids_limit,
					  err);
	default:
		return take_block(which, option, value, limits, err);
	}
}

const struct option_group run_options_limits = {
	.heading = "Limits",
	.options = options,
	.take = take,
};
