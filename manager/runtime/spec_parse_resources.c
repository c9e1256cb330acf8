/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_take.h"
#include "store/base/cleanup.h"

static int parse_rule(const json_t *json, struct spec_device_rule *rule, struct err *err)
{
	const char *access = "rwm";
	int result = json_get_bool(json, "allow", &rule->allow, err);

	rule->type = 'a';
	rule->major = rule->minor = -1;
	if (result == 0)
		result = spec_take_letter(json, "type", "acb", &rule->type, err);
	if (result == 0)
		result = spec_take_number(json, "major", -1, SPEC_DEVICE_NUMBER_MAX, &rule->major,
					  err);
	if (result == 0)
		result = spec_take_number(json, "minor", -1, SPEC_DEVICE_NUMBER_MAX, &rule->minor,
					  err);
	if (result == 0)
		result = json_get_string(json, "access", &access, err);
	if (result < 0)
		return result;
	if (!access[0] || strlen(access) >= sizeof(rule->access) ||
	    access[strspn(access, "rwm")] != '\0')
		return spec_invalid(err, "access", "is not made of r, w and m");
	strcpy(rule->access, access);
	return 0;
}

static int parse_rules(const json_t *json, struct spec_resources *resources, struct err *err)
{
	json_t *array;
	json_t *entry;
	size_t i;
	int result = spec_take_array(json, "devices", sizeof(*resources->devices), &array,
				     (void **)&resources->devices, err);

	json_array_foreach (array, i, entry) {
		result = parse_rule(entry, &resources->devices[resources->ndevices++], err);
		if (result < 0)
			return err_wrap(err, "devices: entry %zu", i + 1);
	}
	return result;
}

/* A limit: what is not positive, such as -1, stands for none. */
static int take_limit(const json_t *json, const char *key, int64_t *out, struct err *err)
{
	int64_t value = 0;
	int result = spec_take_number(json, key, -1, INT64_MAX, &value, err);

	if (result == 0)
		*out = value > 0 ? value : 0;
	return result;
}

static int parse_cpu(const json_t *json, struct spec_resources *resources, struct err *err)
{
	json_t *cpu = NULL;
	int64_t shares = 0, period = 0;
	int result = json_get_object(json, "cpu", &cpu, err);

	if (result < 0 || !cpu)
		return result;
	result = take_limit(cpu, "shares", &shares, err);
	if (result == 0)
		result = take_limit(cpu, "quota", &resources->cpu_quota, err);
	if (result == 0)
		result = take_limit(cpu, "period", &period, err);
	if (result == 0)
		result = spec_take_string(cpu, "cpus", &resources->cpuset_cpus, err);
	if (result == 0)
		result = spec_take_string(cpu, "mems", &resources->cpuset_mems, err);
	resources->cpu_shares = (uint64_t)shares;
	resources->cpu_period = (uint64_t)period;
	return result < 0 ? err_wrap(err, "cpu") : 0;
}

/* Of memory and swap together -1 says more than nothing: all the swap there is. */
static int take_memory(const json_t *memory, struct spec_resources *resources, struct err *err)
{
	int result = take_limit(memory, "limit", &resources->memory_limit, err);

	if (result == 0)
		result = take_limit(memory, "reservation", &resources->memory_reservation, err);
	if (result == 0)
		result = spec_take_number(memory, "swap", -1, INT64_MAX, &resources->memory_swap,
					  err);
	if (result == 0)
		result = json_get_bool(memory, "disableOOMKiller", &resources->oom_kill_disable,
				       err);
	if (result == 0)
		result =
			spec_take_number(memory, "swappiness", 0, 100, &resources->swappiness, err);
	resources->has_swappiness = json_is_integer(json_object_get(memory, "swappiness"));
	return result;
}

static int parse_memory(const json_t *json, struct spec_resources *resources, struct err *err)
{
	json_t *memory = NULL;
	int result = json_get_object(json, "memory", &memory, err);

	if (result < 0 || !memory)
		return result;
	result = take_memory(memory, resources, err);
	return result < 0 ? err_wrap(err, "memory") : 0;
}

static int parse_pids(const json_t *json, struct spec_resources *resources, struct err *err)
{
	json_t *pids = NULL;
	int result = json_get_object(json, "pids", &pids, err);

	if (result < 0 || !pids)
		return result;
	result = take_limit(pids, "limit", &resources->pids_limit, err);
	return result < 0 ? err_wrap(err, "pids") : 0;
}

static int parse_block_limit(const json_t *json, enum spec_block_kind kind,
			     struct spec_block_limit *out, struct err *err)
{
	const bool weight = kind == SPEC_BLOCK_WEIGHT;
	int64_t value = 0;
	int result = spec_take_number(json, "major", 0, SPEC_DEVICE_NUMBER_MAX, &out->major, err);

	if (result == 0)
		result = spec_take_number(json, "minor", 0, SPEC_DEVICE_NUMBER_MAX, &out->minor,
					  err);
	if (result == 0)
		result = spec_take_number(json, weight ? "weight" : "rate", 0,
					  weight ? SPEC_BLOCK_WEIGHT_MAX : INT64_MAX, &value, err);
	out->kind = kind;
	out->value = (uint64_t)value;
	return result;
}

static int parse_block_limits(const json_t *section, enum spec_block_kind kind,
			      struct spec_resources *resources, struct err *err)
{
	const char *key = spec_name_of(spec_block_names, kind);
	AUTO_FREE struct spec_block_limit *found = NULL;
	struct spec_block_limit *all;
	json_t *array;
	json_t *entry;
	size_t i;
	int result = spec_take_array(section, key, sizeof(*found), &array, (void **)&found, err);

	json_array_foreach (array, i, entry) {
		result = parse_block_limit(entry, kind, &found[i], err);
		if (result < 0)
			return err_wrap(err, "%s: entry %zu", key, i + 1);
	}
	if (result < 0 || json_array_size(array) == 0)
		return result;
	all = reallocarray(resources->block_limits,
			   resources->nblock_limits + json_array_size(array), sizeof(*all));
	if (!all)
		return spec_no_memory(err);
	memcpy(all + resources->nblock_limits, found, json_array_size(array) * sizeof(*all));
	resources->block_limits = all;
	resources->nblock_limits += json_array_size(array);
	return 0;
}

static int parse_block(const json_t *json, struct spec_resources *resources, struct err *err)
{
	json_t *section = NULL;
	int64_t weight = 0;
	int result = json_get_object(json, "blockIO", &section, err);

	if (result < 0 || !section)
		return result;
	result = spec_take_number(section, "weight", 0, SPEC_BLOCK_WEIGHT_MAX, &weight, err);
	resources->block_weight = (uint64_t)weight;
	for (int kind = 0; result == 0 && kind < SPEC_BLOCK_NKINDS; kind++)
		result = parse_block_limits(section, (enum spec_block_kind)kind, resources, err);
	return result < 0 ? err_wrap(err, "blockIO") : 0;
}

int spec_parse_resources(const json_t *section, struct spec_resources *resources, struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(section, "resources", &json, err);

	if (result < 0 || !json)
		return result;
	result = parse_rules(json, resources, err);
	if (result == 0)
		result = parse_memory(json, resources, err);
	if (result == 0)
		result = parse_cpu(json, resources, err);
	if (result == 0)
		result = parse_pids(json, resources, err);
	if (result == 0)
		result = parse_block(json, resources, err);
	return result < 0 ? err_wrap(err, "resources") : 0;
}
