/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "manager/runtime/cgroup_limits.h"
#include "manager/runtime/cgroup_limits_file.h"
#include "manager/runtime/cgroup_tree.h"

/*
 * The specification has the limit of both together, cgroup2 that of swap. Without one: as much swap
 * again as memory, as in Docker. A kernel that does not count swap has no such file: that is a
 * failure only for who asked.
 */
static int write_swap(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	const char *what = "limit of memory and swap";
	int64_t limit = resources->memory_limit, swap = resources->memory_swap;
	char value[CGROUP_VALUE_MAX];
	int r;

	if (!limit && !swap)
		return 0;
	if (swap > 0 && limit <= 0)
		return err_set(err, ERR_INVALID, EINVAL, "%s: there is no limit of memory", what);
	if (swap > 0 && swap < limit)
		return err_set(err, ERR_INVALID, EINVAL, "%s: less than that of memory alone",
			       what);
	cgroup_limit_format(value, swap > 0 ? swap - limit : swap < 0 ? -1 : limit, "max");
	r = cgroup_tree_write(dir_fd, "memory.swap.max", value);
	if (r == 0 || (swap <= 0 && (r == -ENOENT || r == -EOPNOTSUPP)))
		return 0;
	return cgroup_limit_failed(what, "memory.swap.max", value, -r, err);
}

static int write_memory(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	char value[CGROUP_VALUE_MAX];
	int r = 0;

	if (resources->has_swappiness)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "swappiness: the memory controller of cgroup v2 has none");
	if (resources->oom_kill_disable)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "no OOM killer: the memory controller of cgroup v2 always has one");
	if (resources->memory_limit) {
		cgroup_limit_format(value, resources->memory_limit, "max");
		r = cgroup_limit_write(dir_fd, "memory limit", "memory.max", value, err);
	}
	if (r == 0)
		r = write_swap(dir_fd, resources, err);
	if (r == 0 && resources->memory_reservation) {
		/* What a group is not to go below; without one nothing is reserved for it. */
		cgroup_limit_format(value, resources->memory_reservation, "0");
		r = cgroup_limit_write(dir_fd, "memory reservation", "memory.low", value, err);
	}
	return r;
}

static int write_cpu(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	char value[CGROUP_VALUE_MAX];
	int r = 0;

	if (resources->cpu_quota || resources->cpu_period) {
		uint64_t period =
			resources->cpu_period ? resources->cpu_period : CGROUP_DEFAULT_CPU_PERIOD;

		if (resources->cpu_quota > 0)
			snprintf(value, sizeof(value), "%" PRId64 " %" PRIu64, resources->cpu_quota,
				 period);
		else
			snprintf(value, sizeof(value), "max %" PRIu64, period);
		r = cgroup_limit_write(dir_fd, "CPU limit", "cpu.max", value, err);
	}
	if (r == 0 && resources->cpu_shares) {
		snprintf(value, sizeof(value), "%u",
			 cgroup_weight_from_shares(resources->cpu_shares));
		r = cgroup_limit_write(dir_fd, "CPU shares", "cpu.weight", value, err);
	}
	return r;
}

static int write_cpuset(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	int r = 0;

	if (resources->cpuset_cpus)
		r = cgroup_limit_write_cpus(dir_fd, resources->cpuset_cpus, err);
	if (r == 0 && resources->cpuset_mems)
		r = cgroup_limit_write_mems(dir_fd, resources->cpuset_mems, err);
	return r;
}

/* `device` is "MAJOR:MINOR ", or empty for all. */
static int write_weight(int dir_fd, const char *what, const char *device, uint64_t weight,
			struct err *err)
{
	static const char *const files[] = { "io.bfq.weight", "io.weight", NULL };
	char bfq[CGROUP_VALUE_MAX], other[CGROUP_VALUE_MAX];
	const char *const values[] = { bfq, other, NULL };
	int r;

	snprintf(bfq, sizeof(bfq), "%s%" PRIu64, device, weight);
	snprintf(other, sizeof(other), "%s%u", device, cgroup_weight_from_block_weight(weight));
	r = cgroup_limit_write_first(dir_fd, what, files, values, err);
	if (r == -EOPNOTSUPP)
		return err_hint(err, "weights hold for disks with the scheduler bfq only");
	return r;
}

static int write_block_limit(int dir_fd, const struct spec_block_limit *limit, struct err *err)
{
	static const char *const keys[] = {
		[SPEC_BLOCK_READ_BPS] = "rbps",
		[SPEC_BLOCK_WRITE_BPS] = "wbps",
		[SPEC_BLOCK_READ_IOPS] = "riops",
		[SPEC_BLOCK_WRITE_IOPS] = "wiops",
	};
	const char *what = cgroup_block_name(limit->kind);
	char device[32], value[CGROUP_VALUE_MAX + 32];

	snprintf(device, sizeof(device), "%" PRId64 ":%" PRId64 " ", limit->major, limit->minor);
	if (limit->kind == SPEC_BLOCK_WEIGHT)
		return write_weight(dir_fd, what, device, limit->value, err);
	if (limit->value)
		snprintf(value, sizeof(value), "%s%s=%" PRIu64, device, keys[limit->kind],
			 limit->value);
	else
		snprintf(value, sizeof(value), "%s%s=max", device, keys[limit->kind]);
	return cgroup_limit_write(dir_fd, what, "io.max", value, err);
}

static int write_block(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	int r = 0;

	if (resources->block_weight)
		r = write_weight(dir_fd, "weight of block I/O", "", resources->block_weight, err);
	for (size_t i = 0; r == 0 && i < resources->nblock_limits; i++)
		r = write_block_limit(dir_fd, &resources->block_limits[i], err);
	return r;
}

int cgroup_limits_write_v2(int dir_fd, enum cgroup_controller controller,
			   const struct spec_resources *resources, struct err *err)
{
	static int (*const write[])(int dir_fd, const struct spec_resources *resources,
				    struct err *err) = {
		[CGROUP_MEMORY] = write_memory,		 [CGROUP_CPU] = write_cpu,
		[CGROUP_CPUSET] = write_cpuset,		 [CGROUP_BLOCK] = write_block,
		[CGROUP_PIDS] = cgroup_limit_write_pids,
	};

	return write[controller](dir_fd, resources, err);
}
