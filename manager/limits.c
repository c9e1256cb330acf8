/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot set the limits");
}

void limits_release(struct limits *limits)
{
	spec_resources_release(&limits->resources);
	free(limits->rlimits);
	*limits = (struct limits){ 0 };
}

int limits_cgroup_path(const char *parent, const char *id, char **out, struct err *err)
{
	size_t len = strlen(parent);

	while (len > 0 && parent[len - 1] == '/')
		len--;
	if (asprintf(out, "%s%.*s/%s", *parent == '/' ? "" : "/", (int)len, parent, id) >= 0)
		return 0;
	*out = NULL;
	return no_memory(err);
}

/* --- what was given over what is there --- */

static bool has(const struct limits *limits, enum limit limit)
{
	return limits->given & 1u << limit;
}

static int replace(char **to, const char *from, struct err *err)
{
	char *copy = from && *from ? strdup(from) : NULL;

	if (from && *from && !copy)
		return no_memory(err);
	free(*to);
	*to = copy;
	return 0;
}

static void merge_memory(const struct limits *limits, struct spec_resources *to)
{
	const struct spec_resources *from = &limits->resources;

	if (has(limits, LIMIT_MEMORY)) {
		to->memory_limit = from->memory_limit;
		/* It was said together with one that is gone. */
		if (!to->memory_limit)
			to->memory_swap = 0;
	}
	if (has(limits, LIMIT_MEMORY_RESERVATION))
		to->memory_reservation = from->memory_reservation;
	if (has(limits, LIMIT_MEMORY_SWAP))
		to->memory_swap = from->memory_swap;
	if (has(limits, LIMIT_MEMORY_SWAPPINESS)) {
		to->has_swappiness = from->has_swappiness;
		to->swappiness = from->swappiness;
	}
	to->oom_kill_disable |= from->oom_kill_disable;
}

static int merge_cpu(const struct limits *limits, struct spec_resources *to, struct err *err)
{
	const struct spec_resources *from = &limits->resources;
	int r = 0;

	if (has(limits, LIMIT_CPUS) || has(limits, LIMIT_CPU_PERIOD))
		to->cpu_period = from->cpu_period;
	if (has(limits, LIMIT_CPUS) || has(limits, LIMIT_CPU_QUOTA))
		to->cpu_quota = from->cpu_quota;
	if (has(limits, LIMIT_CPU_SHARES))
		to->cpu_shares = from->cpu_shares;
	if (has(limits, LIMIT_CPUSET_CPUS))
		r = replace(&to->cpuset_cpus, from->cpuset_cpus, err);
	if (r == 0 && has(limits, LIMIT_CPUSET_MEMS))
		r = replace(&to->cpuset_mems, from->cpuset_mems, err);
	return r;
}

static struct spec_block_limit *find_block(struct spec_resources *in,
					   const struct spec_block_limit *like)
{
	for (size_t i = 0; i < in->nblock_limits; i++) {
		struct spec_block_limit *found = &in->block_limits[i];

		if (found->kind == like->kind && found->major == like->major &&
		    found->minor == like->minor)
			return found;
	}
	return NULL;
}

static int merge_block(const struct limits *limits, struct spec_resources *to, struct err *err)
{
	const struct spec_resources *from = &limits->resources;
	struct spec_block_limit *all;

	if (has(limits, LIMIT_BLOCK_WEIGHT))
		to->block_weight = from->block_weight;
	if (!from->nblock_limits)
		return 0;
	all = reallocarray(to->block_limits, to->nblock_limits + from->nblock_limits, sizeof(*all));
	if (!all)
		return no_memory(err);
	to->block_limits = all;
	for (size_t i = 0; i < from->nblock_limits; i++) {
		struct spec_block_limit *present = find_block(to, &from->block_limits[i]);

		if (!present)
			present = &all[to->nblock_limits++];
		*present = from->block_limits[i];
	}
	return 0;
}

static int add_device_rules(const struct limits *limits, struct spec_resources *to, struct err *err)
{
	const struct spec_resources *from = &limits->resources;
	struct spec_device_rule *all;

	if (!from->ndevices)
		return 0;
	all = reallocarray(to->devices, to->ndevices + from->ndevices, sizeof(*all));
	if (!all)
		return no_memory(err);
	memcpy(all + to->ndevices, from->devices, from->ndevices * sizeof(*all));
	to->devices = all;
	to->ndevices += from->ndevices;
	return 0;
}

static int add_rlimits(const struct limits *limits, struct spec_process *process, struct err *err)
{
	struct spec_rlimit *all;

	if (!limits->nrlimits)
		return 0;
	all = reallocarray(process->rlimits, process->nrlimits + limits->nrlimits, sizeof(*all));
	if (!all)
		return no_memory(err);
	process->rlimits = all;
	for (size_t i = 0; i < limits->nrlimits; i++) {
		size_t at = 0;

		while (at < process->nrlimits && all[at].resource != limits->rlimits[i].resource)
			at++;
		all[at] = limits->rlimits[i];
		process->nrlimits += at == process->nrlimits;
	}
	return 0;
}

/* --- what can be together --- */

static int check_memory(const struct spec_resources *resources, struct err *err)
{
	const int64_t memory = resources->memory_limit, swap = resources->memory_swap;

	if (swap && !memory) {
		err_set(err, ERR_INVALID, EINVAL, "a limit of memory and swap needs one of memory");
		return err_hint(err, "give both: --memory and --memory-swap");
	}
	if (swap > 0 && swap < memory) {
		err_set(err, ERR_INVALID, EINVAL,
			"the limit of memory and swap together, %" PRId64
			" bytes, is below that of memory, %" PRId64,
			swap, memory);
		return err_hint(err, "--memory-swap is for both: the same as --memory for no swap");
	}
	if (memory && resources->memory_reservation > memory)
		return err_set(err, ERR_INVALID, EINVAL,
			       "the memory reservation, %" PRId64
			       " bytes, is above the limit of memory, %" PRId64,
			       resources->memory_reservation, memory);
	if (resources->oom_kill_disable && !memory)
		return err_set(err, ERR_INVALID, EINVAL,
			       "the OOM killer can be disabled for a container with a limit of "
			       "memory only: --memory");
	return 0;
}

static int check_given(const struct limits *limits, struct err *err)
{
	if (!has(limits, LIMIT_CPUS) ||
	    (!has(limits, LIMIT_CPU_PERIOD) && !has(limits, LIMIT_CPU_QUOTA)))
		return 0;
	return err_set(err, ERR_USAGE, EINVAL,
		       "--cpus sets period and quota: it cannot be given together with %s",
		       has(limits, LIMIT_CPU_QUOTA) ? "--cpu-quota" : "--cpu-period");
}

int limits_apply(const struct limits *limits, const char *id, struct spec *spec, struct err *err)
{
	struct spec_resources *resources = &spec->resources;
	int r = check_given(limits, err);

	if (r < 0)
		return r;
	merge_memory(limits, resources);
	if (has(limits, LIMIT_PIDS))
		resources->pids_limit = limits->resources.pids_limit;
	r = merge_cpu(limits, resources, err);
	if (r == 0)
		r = merge_block(limits, resources, err);
	if (r == 0)
		r = add_device_rules(limits, resources, err);
	if (r == 0)
		r = add_rlimits(limits, &spec->process, err);
	if (r == 0)
		r = check_memory(resources, err);
	if (r == 0 && limits->has_oom_score_adj) {
		spec->process.has_oom_score_adj = true;
		spec->process.oom_score_adj = limits->oom_score_adj;
	}
	if (r == 0 && limits->cgroup_parent) {
		free(spec->cgroups_path);
		r = limits_cgroup_path(limits->cgroup_parent, id, &spec->cgroups_path, err);
	}
	return r;
}
