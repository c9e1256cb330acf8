/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "manager/runtime/cgroup_limits.h"
#include "manager/runtime/cgroup_limits_file.h"
#include "manager/runtime/cgroup_tree.h"

#define MEMORY_FILE "memory.limit_in_bytes"
#define SWAP_FILE "memory.memsw.limit_in_bytes"
#define CPUSET_MAX 1024
#define CPUSET_DEPTH_MAX 16

/* ---- memory --------------------------------------------------------------------------------- */

/* Memory and swap together. Without one: as much swap again as memory, as in Docker. */
static int64_t swap_limit(const struct spec_resources *resources)
{
	int64_t limit = resources->memory_limit;

	if (resources->memory_swap)
		return resources->memory_swap;
	return limit < 0 || limit > INT64_MAX / 2 ? -1 : 2 * limit;
}

/*
 * A kernel or boot option without swap accounting has no such file: then swap is not counted, which
 * is a failure only for who asked.
 */
static int write_swap(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	char value[CGROUP_VALUE_MAX];
	int r;

	if (!resources->memory_limit && !resources->memory_swap)
		return 0;
	cgroup_limit_format(value, swap_limit(resources), "-1");
	r = cgroup_tree_write(dir_fd, SWAP_FILE, value);
	if (r == 0 || (resources->memory_swap <= 0 && (r == -ENOENT || r == -EOPNOTSUPP)))
		return 0;
	return cgroup_limit_failed("limit of memory and swap", SWAP_FILE, value, -r, err);
}

/* What is used cannot be cut off here, where v2 would kill. */
static int explain_memory(int dir_fd, struct err *err)
{
	char used[CGROUP_VALUE_MAX];

	if (err->num == EBUSY &&
	    cgroup_tree_read(dir_fd, "memory.usage_in_bytes", used, sizeof(used)) == 0)
		return err_hint(err, "%s bytes are in use and cannot be given back", used);
	return err_code(err);
}

/* The limit of memory may at no time be above that of both together. */
static int write_limit_and_swap(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	char value[CGROUP_VALUE_MAX];
	bool swap_written = false;
	int r = 0;

	if (resources->memory_limit) {
		cgroup_limit_format(value, resources->memory_limit, "-1");
		r = cgroup_tree_write(dir_fd, MEMORY_FILE, value);
		if (r == -EINVAL) {
			r = write_swap(dir_fd, resources, err);
			if (r < 0)
				return r;
			swap_written = true;
			r = cgroup_tree_write(dir_fd, MEMORY_FILE, value);
		}
	}
	if (r < 0)
		cgroup_limit_failed("memory limit", MEMORY_FILE, value, -r, err);
	else if (!swap_written)
		r = write_swap(dir_fd, resources, err);
	return r < 0 ? explain_memory(dir_fd, err) : 0;
}

static int write_memory(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	char value[CGROUP_VALUE_MAX];
	int r = write_limit_and_swap(dir_fd, resources, err);

	if (r == 0 && resources->memory_reservation) {
		cgroup_limit_format(value, resources->memory_reservation, "-1");
		r = cgroup_limit_write(dir_fd, "memory reservation", "memory.soft_limit_in_bytes",
				       value, err);
	}
	if (r == 0 && resources->has_swappiness) {
		cgroup_limit_format(value, resources->swappiness, "0");
		r = cgroup_limit_write(dir_fd, "swappiness", "memory.swappiness", value, err);
	}
	if (r == 0 && resources->oom_kill_disable)
		r = cgroup_limit_write(dir_fd, "no OOM killer", "memory.oom_control", "1", err);
	return r;
}

/* ---- cpu ------------------------------------------------------------------------------------ */

/*
 * In between the two the group has the new one with the other's old value, which may be more than
 * the group above has: then the other way round.
 */
static int write_bandwidth(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	static const char what[] = "CPU limit";
	static const char period_file[] = "cpu.cfs_period_us", quota_file[] = "cpu.cfs_quota_us";
	char period[CGROUP_VALUE_MAX], quota[CGROUP_VALUE_MAX];
	int r = 0;

	snprintf(period, sizeof(period), "%" PRIu64, resources->cpu_period);
	cgroup_limit_format(quota, resources->cpu_quota, "-1");
	if (resources->cpu_period)
		r = cgroup_tree_write(dir_fd, period_file, period);
	if (r == -EINVAL && resources->cpu_quota) {
		r = cgroup_limit_write(dir_fd, what, quota_file, quota, err);
		return r < 0 ? r : cgroup_limit_write(dir_fd, what, period_file, period, err);
	}
	if (r < 0)
		return cgroup_limit_failed(what, period_file, period, -r, err);
	return resources->cpu_quota ? cgroup_limit_write(dir_fd, what, quota_file, quota, err) : 0;
}

static int write_cpu(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	char value[CGROUP_VALUE_MAX];
	int r = 0;

	if (resources->cpu_shares) {
		snprintf(value, sizeof(value), "%" PRIu64, resources->cpu_shares);
		r = cgroup_limit_write(dir_fd, "CPU shares", "cpu.shares", value, err);
	}
	return r < 0 ? r : write_bandwidth(dir_fd, resources, err);
}

/* ---- cpuset --------------------------------------------------------------------------------- */

/* "../../cpuset.cpus" for level 2. */
static void file_above(char *out, size_t size, unsigned level, const char *file)
{
	size_t len = 0;

	while (level-- > 0 && len + 3 < size) {
		memcpy(out + len, "../", 3);
		len += 3;
	}
	snprintf(out + len, size - len, "%s", file);
}

/*
 * A new v1 cpuset is empty and takes no process: it and new groups above get what the first filled
 * one has.
 */
static int inherit(int dir_fd, const char *file, struct err *err)
{
	char name[3 * CPUSET_DEPTH_MAX + 32], value[CPUSET_MAX] = "";
	unsigned level = 0;
	int r = 0;

	for (; level < CPUSET_DEPTH_MAX && r == 0 && !*value; level++) {
		file_above(name, sizeof(name), level, file);
		r = cgroup_tree_read(dir_fd, name, value, sizeof(value));
	}
	for (level = level > 0 ? level - 1 : 0; level-- > 0 && r == 0;) {
		file_above(name, sizeof(name), level, file);
		r = cgroup_tree_write(dir_fd, name, value);
	}
	return r < 0 ? err_sys(err, -r, "cannot fill %s of the new cgroup", file) : 0;
}

/* An empty list is all: on v1 what the group above has. */
static int write_list(int dir_fd, const char *list, const char *above,
		      int (*write)(int dir_fd, const char *list, struct err *err), struct err *err)
{
	char all[CPUSET_MAX];
	int r;

	if (!list)
		return 0;
	if (*list)
		return write(dir_fd, list, err);
	r = cgroup_tree_read(dir_fd, above, all, sizeof(all));
	return r < 0 ? err_sys(err, -r, "cannot read %s", above) : write(dir_fd, all, err);
}

static int write_cpuset(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	int r = inherit(dir_fd, "cpuset.cpus", err);

	if (r == 0)
		r = inherit(dir_fd, "cpuset.mems", err);
	if (r == 0)
		r = write_list(dir_fd, resources->cpuset_cpus, "../cpuset.cpus",
			       cgroup_limit_write_cpus, err);
	if (r == 0)
		r = write_list(dir_fd, resources->cpuset_mems, "../cpuset.mems",
			       cgroup_limit_write_mems, err);
	return r;
}

/* ---- blkio ---------------------------------------------------------------------------------- */

static int write_block_limit(int dir_fd, const struct spec_block_limit *limit, struct err *err)
{
	static const char *const throttles[] = {
		[SPEC_BLOCK_READ_BPS] = "blkio.throttle.read_bps_device",
		[SPEC_BLOCK_WRITE_BPS] = "blkio.throttle.write_bps_device",
		[SPEC_BLOCK_READ_IOPS] = "blkio.throttle.read_iops_device",
		[SPEC_BLOCK_WRITE_IOPS] = "blkio.throttle.write_iops_device",
	};
	static const char *const weights[] = { "blkio.weight_device", "blkio.bfq.weight_device",
					       NULL };
	const char *what = cgroup_block_name(limit->kind);
	char value[CGROUP_VALUE_MAX];
	const char *const values[] = { value, value, NULL };

	snprintf(value, sizeof(value), "%" PRId64 ":%" PRId64 " %" PRIu64, limit->major,
		 limit->minor, limit->value);
	if (limit->kind == SPEC_BLOCK_WEIGHT)
		return cgroup_limit_write_first(dir_fd, what, weights, values, err);
	return cgroup_limit_write(dir_fd, what, throttles[limit->kind], value, err);
}

static int write_block(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	static const char *const files[] = { "blkio.weight", "blkio.bfq.weight", NULL };
	char value[CGROUP_VALUE_MAX];
	const char *const values[] = { value, value, NULL };
	int r = 0;

	if (resources->block_weight) {
		snprintf(value, sizeof(value), "%" PRIu64, resources->block_weight);
		r = cgroup_limit_write_first(dir_fd, "weight of block I/O", files, values, err);
	}
	for (size_t i = 0; r == 0 && i < resources->nblock_limits; i++)
		r = write_block_limit(dir_fd, &resources->block_limits[i], err);
	return r;
}

int cgroup_limits_write_v1(int dir_fd, enum cgroup_controller controller,
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
