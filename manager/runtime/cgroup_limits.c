/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manager/runtime/cgroup_tree.h"

#define VALUE_MAX 64
#define CPUSET_MAX 1024
#define CPUSET_DEPTH_MAX 16
#define DEFAULT_CPU_PERIOD 100000 /* microseconds, as in the kernel */

const char *cgroup_controller_name(enum cgroup_controller controller)
{
	static const char *const names[] = { [CGROUP_MEMORY] = "memory",
					     [CGROUP_CPU] = "cpu",
					     [CGROUP_CPUSET] = "cpuset",
					     [CGROUP_PIDS] = "pids" };

	return names[controller];
}

bool cgroup_limit_wanted(const struct spec_resources *resources, enum cgroup_controller controller,
			 const char **limit)
{
	switch (controller) {
	case CGROUP_MEMORY:
		*limit = "memory limit";
		return resources->memory_limit != 0;
	case CGROUP_CPU:
		*limit = resources->cpu_shares ? "CPU shares" : "CPU limit";
		return resources->cpu_shares || resources->cpu_quota || resources->cpu_period;
	case CGROUP_CPUSET:
		*limit = "set of CPUs";
		return resources->cpuset_cpus && *resources->cpuset_cpus;
	case CGROUP_PIDS:
		*limit = "limit of processes";
		return resources->pids_limit != 0;
	case CGROUP_NCONTROLLERS:
		break;
	}
	return false;
}

unsigned cgroup_weight_from_shares(unsigned long long shares)
{
	unsigned long long weight = shares > 1 << 20 ? 10000 : shares * 100 / 1024;

	return weight < 1 ? 1 : weight > 10000 ? 10000 : (unsigned)weight;
}

/* The caller puts the limit's name before the message. */
static int write_limit(int dir_fd, const char *file, const char *value, struct err *err)
{
	int r = cgroup_tree_write(dir_fd, file, value);

	if (r == -ENOENT)
		return err_set(err, ERR_UNSUPPORTED, ENOENT, "this kernel has no %s", file);
	return r < 0 ? err_sys(err, -r, "cannot write \"%s\" to %s", value, file) : 0;
}

/* Negative means without limit; v1 writes -1 for that. */
static void format_limit(char out[VALUE_MAX], int64_t limit, const char *unlimited)
{
	if (limit < 0)
		snprintf(out, VALUE_MAX, "%s", unlimited);
	else
		snprintf(out, VALUE_MAX, "%" PRId64, limit);
}

/* A kernel or boot option without swap accounting has no such file: then swap is not counted. */
static int write_swap(int dir_fd, const char *file, const char *value, struct err *err)
{
	int r = cgroup_tree_write(dir_fd, file, value);

	if (r == 0 || r == -ENOENT || r == -EOPNOTSUPP)
		return 0;
	return err_sys(err, -r, "cannot write \"%s\" to %s", value, file);
}

static int write_cpus(int dir_fd, const char *cpus, struct err *err)
{
	char available[CPUSET_MAX];
	int r = write_limit(dir_fd, "cpuset.cpus", cpus, err);

	if (r < 0 && (cgroup_tree_read(dir_fd, "../cpuset.cpus.effective", available,
				       sizeof(available)) == 0 ||
		      cgroup_tree_read(dir_fd, "../cpuset.effective_cpus", available,
				       sizeof(available)) == 0))
		return err_hint(err, "this machine offers CPUs %.100s", available);
	return r;
}

/* ---- v2 ------------------------------------------------------------------------------------- */

static int write_cpu_v2(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	char value[VALUE_MAX];
	int r = 0;

	if (resources->cpu_quota || resources->cpu_period) {
		uint64_t period =
			resources->cpu_period ? resources->cpu_period : DEFAULT_CPU_PERIOD;

		if (resources->cpu_quota > 0)
			snprintf(value, sizeof(value), "%" PRId64 " %" PRIu64, resources->cpu_quota,
				 period);
		else
			snprintf(value, sizeof(value), "max %" PRIu64, period);
		r = write_limit(dir_fd, "cpu.max", value, err);
	}
	if (r == 0 && resources->cpu_shares) {
		snprintf(value, sizeof(value), "%u",
			 cgroup_weight_from_shares(resources->cpu_shares));
		r = write_limit(dir_fd, "cpu.weight", value, err);
	}
	return r;
}

int cgroup_limits_write_v2(int dir_fd, enum cgroup_controller controller,
			   const struct spec_resources *resources, struct err *err)
{
	char value[VALUE_MAX];
	int r;

	switch (controller) {
	case CGROUP_MEMORY:
		format_limit(value, resources->memory_limit, "max");
		r = write_limit(dir_fd, "memory.max", value, err);
		/* As much swap again, as in Docker. */
		return r < 0 ? r : write_swap(dir_fd, "memory.swap.max", value, err);
	case CGROUP_CPU:
		return write_cpu_v2(dir_fd, resources, err);
	case CGROUP_CPUSET:
		return write_cpus(dir_fd, resources->cpuset_cpus, err);
	case CGROUP_PIDS:
		format_limit(value, resources->pids_limit, "max");
		return write_limit(dir_fd, "pids.max", value, err);
	case CGROUP_NCONTROLLERS:
		break;
	}
	return 0;
}

/* ---- v1 ------------------------------------------------------------------------------------- */

static int write_memory_v1(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	int64_t limit = resources->memory_limit;
	char value[VALUE_MAX];
	int r;

	format_limit(value, limit, "-1");
	r = write_limit(dir_fd, "memory.limit_in_bytes", value, err);
	if (r < 0)
		return r;
	/* Memory and swap together: as much swap again, as in Docker. */
	format_limit(value, limit > INT64_MAX / 2 ? -1 : 2 * limit, "-1");
	return write_swap(dir_fd, "memory.memsw.limit_in_bytes", value, err);
}

static int write_cpu_v1(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	char value[VALUE_MAX];
	int r = 0;

	if (resources->cpu_shares) {
		snprintf(value, sizeof(value), "%" PRIu64, resources->cpu_shares);
		r = write_limit(dir_fd, "cpu.shares", value, err);
	}
	if (r == 0 && resources->cpu_period) {
		snprintf(value, sizeof(value), "%" PRIu64, resources->cpu_period);
		r = write_limit(dir_fd, "cpu.cfs_period_us", value, err);
	}
	if (r == 0 && resources->cpu_quota) {
		format_limit(value, resources->cpu_quota, "-1");
		r = write_limit(dir_fd, "cpu.cfs_quota_us", value, err);
	}
	return r;
}

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
static int inherit_cpuset(int dir_fd, const char *file, struct err *err)
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

int cgroup_limits_write_v1(int dir_fd, enum cgroup_controller controller,
			   const struct spec_resources *resources, struct err *err)
{
	char value[VALUE_MAX];
	int r;

	switch (controller) {
	case CGROUP_MEMORY:
		return write_memory_v1(dir_fd, resources, err);
	case CGROUP_CPU:
		return write_cpu_v1(dir_fd, resources, err);
	case CGROUP_CPUSET:
		r = inherit_cpuset(dir_fd, "cpuset.cpus", err);
		if (r == 0)
			r = inherit_cpuset(dir_fd, "cpuset.mems", err);
		return r < 0 ? r : write_cpus(dir_fd, resources->cpuset_cpus, err);
	case CGROUP_PIDS:
		format_limit(value, resources->pids_limit, "max");
		return write_limit(dir_fd, "pids.max", value, err);
	case CGROUP_NCONTROLLERS:
		break;
	}
	return 0;
}
