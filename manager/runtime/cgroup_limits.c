/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "manager/runtime/cgroup_limits_file.h"
#include "manager/runtime/cgroup_tree.h"

#define CPUSET_MAX 1024
#define DEFAULT_SHARES 1024
#define DEFAULT_BLOCK_WEIGHT 100 /* of bfq; io.weight's 100 is another scale */
#define BLOCK_WEIGHTS (SPEC_BLOCK_WEIGHT_MAX - SPEC_BLOCK_WEIGHT_MIN)

const char *cgroup_controller_name(enum cgroup_controller controller, bool v2)
{
	static const char *const names[] = { [CGROUP_MEMORY] = "memory",
					     [CGROUP_CPU] = "cpu",
					     [CGROUP_CPUSET] = "cpuset",
					     [CGROUP_PIDS] = "pids",
					     [CGROUP_BLOCK] = "blkio" };

	return v2 && controller == CGROUP_BLOCK ? "io" : names[controller];
}

const char *cgroup_block_name(enum spec_block_kind kind)
{
	static const char *const names[] = {
		[SPEC_BLOCK_WEIGHT] = "weight of a block device",
		[SPEC_BLOCK_READ_BPS] = "limit of reads from a device",
		[SPEC_BLOCK_WRITE_BPS] = "limit of writes to a device",
		[SPEC_BLOCK_READ_IOPS] = "limit of read operations of a device",
		[SPEC_BLOCK_WRITE_IOPS] = "limit of write operations of a device",
	};

	return names[kind];
}

static const char *memory_limit_name(const struct spec_resources *resources)
{
	return resources->memory_limit	     ? "memory limit" :
	       resources->memory_reservation ? "memory reservation" :
	       resources->memory_swap	     ? "limit of memory and swap" :
	       resources->has_swappiness     ? "swappiness" :
	       resources->oom_kill_disable   ? "no OOM killer" :
					       NULL;
}

static const char *limit_name(const struct spec_resources *resources,
			      enum cgroup_controller controller)
{
	switch (controller) {
	case CGROUP_MEMORY:
		return memory_limit_name(resources);
	case CGROUP_CPU:
		return resources->cpu_shares			     ? "CPU shares" :
		       resources->cpu_quota || resources->cpu_period ? "CPU limit" :
								       NULL;
	case CGROUP_CPUSET:
		return resources->cpuset_cpus ? "set of CPUs" :
		       resources->cpuset_mems ? "set of memory nodes" :
						NULL;
	case CGROUP_PIDS:
		return resources->pids_limit ? "limit of processes" : NULL;
	case CGROUP_BLOCK:
		return resources->block_weight	? "weight of block I/O" :
		       resources->nblock_limits ? cgroup_block_name(resources->block_limits->kind) :
						  NULL;
	case CGROUP_NCONTROLLERS:
		break;
	}
	return NULL;
}

bool cgroup_limit_wanted(const struct spec_resources *resources, enum cgroup_controller controller,
			 const char **limit)
{
	const char *name = limit_name(resources, controller);

	if (name)
		*limit = name;
	return name;
}

/* ---- changes -------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Taken away: none. */
static int64_t limit_or_none(int64_t before, int64_t after)
{
	return before && !after ? -1 : after;
}

static uint64_t value_or_default(uint64_t before, uint64_t after, uint64_t otherwise)
{
	return before && !after ? otherwise : after;
}

/* An empty list is what all processors are called. */
static char *list_or_all(char *before, char *after)
{
	static char all[] = "";

	return before && !after ? all : after;
}

static void change_memory(const struct spec_resources *a, const struct spec_resources *b,
			  struct spec_resources *out)
{
	if (a->memory_limit == b->memory_limit && a->memory_reservation == b->memory_reservation &&
	    a->memory_swap == b->memory_swap && a->has_swappiness == b->has_swappiness &&
	    a->swappiness == b->swappiness && a->oom_kill_disable == b->oom_kill_disable)
		return;
	out->memory_limit = limit_or_none(a->memory_limit, b->memory_limit);
	out->memory_reservation = limit_or_none(a->memory_reservation, b->memory_reservation);
	out->memory_swap = b->memory_swap;
	out->has_swappiness = b->has_swappiness;
	out->swappiness = b->swappiness;
	out->oom_kill_disable = b->oom_kill_disable;
}

static void change_cpu(const struct spec_resources *a, const struct spec_resources *b,
		       struct spec_resources *out)
{
	if (a->cpu_shares == b->cpu_shares && a->cpu_quota == b->cpu_quota &&
	    a->cpu_period == b->cpu_period)
		return;
	out->cpu_shares = value_or_default(a->cpu_shares, b->cpu_shares, DEFAULT_SHARES);
	out->cpu_quota = limit_or_none(a->cpu_quota, b->cpu_quota);
	out->cpu_period = value_or_default(a->cpu_period, b->cpu_period, CGROUP_DEFAULT_CPU_PERIOD);
}

void cgroup_limits_change(const struct spec_resources *before, const struct spec_resources *after,
			  struct spec_resources *out)
{
	*out = (struct spec_resources){ 0 };
	change_memory(before, after, out);
	change_cpu(before, after, out);
	if (!same_text(before->cpuset_cpus, after->cpuset_cpus) ||
	    !same_text(before->cpuset_mems, after->cpuset_mems)) {
		out->cpuset_cpus = list_or_all(before->cpuset_cpus, after->cpuset_cpus);
		out->cpuset_mems = list_or_all(before->cpuset_mems, after->cpuset_mems);
	}
	if (before->pids_limit != after->pids_limit)
		out->pids_limit = limit_or_none(before->pids_limit, after->pids_limit);
	if (before->block_weight != after->block_weight)
		out->block_weight = value_or_default(before->block_weight, after->block_weight,
						     DEFAULT_BLOCK_WEIGHT);
	if (before->nblock_limits != after->nblock_limits ||
	    (after->nblock_limits &&
	     memcmp(before->block_limits, after->block_limits,
		    after->nblock_limits * sizeof(*after->block_limits)) != 0)) {
		out->block_limits = after->block_limits;
		out->nblock_limits = after->nblock_limits;
	}
}

/* ---- weights -------------------------------------------------------------------------------- */

unsigned cgroup_weight_from_shares(unsigned long long shares)
{
	unsigned long long weight = shares > 1 << 20 ? 10000 : shares * 100 / 1024;

	return weight < 1 ? 1 : weight > 10000 ? 10000 : (unsigned)weight;
}

unsigned cgroup_weight_from_block_weight(unsigned long long weight)
{
	if (weight <= SPEC_BLOCK_WEIGHT_MIN)
		return 1;
	if (weight >= SPEC_BLOCK_WEIGHT_MAX)
		return 10000;
	return (unsigned)(1 + (weight - SPEC_BLOCK_WEIGHT_MIN) * 9999 / BLOCK_WEIGHTS);
}

/* ---- files ---------------------------------------------------------------------------------- */

int cgroup_limit_failed(const char *what, const char *file, const char *value, int num,
			struct err *err)
{
	if (num == ENOENT)
		return err_set(err, ERR_UNSUPPORTED, ENOENT, "%s: this kernel has no %s", what,
			       file);
	return err_sys(err, num, "%s: cannot write \"%s\" to %s", what, value, file);
}

int cgroup_limit_write(int dir_fd, const char *what, const char *file, const char *value,
		       struct err *err)
{
	int r = cgroup_tree_write(dir_fd, file, value);

	return r < 0 ? cgroup_limit_failed(what, file, value, -r, err) : 0;
}

void cgroup_limit_format(char out[CGROUP_VALUE_MAX], int64_t limit, const char *unlimited)
{
	if (limit < 0)
		snprintf(out, CGROUP_VALUE_MAX, "%s", unlimited);
	else
		snprintf(out, CGROUP_VALUE_MAX, "%" PRId64, limit);
}

int cgroup_limit_write_pids(int dir_fd, const struct spec_resources *resources, struct err *err)
{
	char value[CGROUP_VALUE_MAX];

	cgroup_limit_format(value, resources->pids_limit, "max");
	return cgroup_limit_write(dir_fd, "limit of processes", "pids.max", value, err);
}

static int write_set(int dir_fd, const char *what, const char *file, const char *list,
		     const char *const above[2], const char *members, struct err *err)
{
	char available[CPUSET_MAX];
	int r = cgroup_limit_write(dir_fd, what, file, *list ? list : "\n", err);

	if (r == 0 || err->kind != ERR_SYS)
		return r;
	for (int i = 0; i < 2; i++)
		if (cgroup_tree_read(dir_fd, above[i], available, sizeof(available)) == 0)
			return err_hint(err, "this machine offers %s %.100s", members, available);
	return r;
}

int cgroup_limit_write_cpus(int dir_fd, const char *cpus, struct err *err)
{
	const char *const above[] = { "../cpuset.cpus.effective", "../cpuset.effective_cpus" };

	return write_set(dir_fd, "set of CPUs", "cpuset.cpus", cpus, above, "CPUs", err);
}

int cgroup_limit_write_mems(int dir_fd, const char *mems, struct err *err)
{
	const char *const above[] = { "../cpuset.mems.effective", "../cpuset.effective_mems" };

	return write_set(dir_fd, "set of memory nodes", "cpuset.mems", mems, above, "memory nodes",
			 err);
}

int cgroup_limit_write_first(int dir_fd, const char *what, const char *const *files,
			     const char *const *values, struct err *err)
{
	int r = -ENOENT;
	size_t i = 0;

	while (files[i] && (r = cgroup_tree_write(dir_fd, files[i], values[i])) == -ENOENT)
		i++;
	if (r == -ENOENT)
		return cgroup_limit_failed(what, files[0], values[0], ENOENT, err);
	return r < 0 ? cgroup_limit_failed(what, files[i], values[i], -r, err) : 0;
}
