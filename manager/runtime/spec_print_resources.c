/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_put.h"

static bool print_device_rules(json_t *json, const struct spec_resources *resources)
{
	json_t *array = add_array(json, "devices");

	for (size_t i = 0; array && i < resources->ndevices; i++) {
		const struct spec_device_rule *rule = &resources->devices[i];
		json_t *entry = append_object(array);

		if (!entry || !set(entry, "allow", json_boolean(rule->allow)) ||
		    !set(entry, "type", letter(rule->type)) ||
		    !set_string(entry, "access", rule->access))
			return false;
		/* a number that is not there stands for any */
		if (rule->major >= 0 && !set(entry, "major", json_integer(rule->major)))
			return false;
		if (rule->minor >= 0 && !set(entry, "minor", json_integer(rule->minor)))
			return false;
	}
	return array;
}

static bool print_memory(json_t *json, const struct spec_resources *resources)
{
	return set_positive(json, "limit", resources->memory_limit) &&
	       set_positive(json, "reservation", resources->memory_reservation) &&
	       (!resources->memory_swap ||
		set(json, "swap",
		    json_integer(resources->memory_swap < 0 ? -1 : resources->memory_swap))) &&
	       (!resources->has_swappiness ||
		set(json, "swappiness", json_integer(resources->swappiness))) &&
	       (!resources->oom_kill_disable || set(json, "disableOOMKiller", json_true()));
}

static bool print_cpu(json_t *json, const struct spec_resources *resources)
{
	return set_positive(json, "shares", (int64_t)resources->cpu_shares) &&
	       set_positive(json, "quota", resources->cpu_quota) &&
	       set_positive(json, "period", (int64_t)resources->cpu_period) &&
	       set_string(json, "cpus", resources->cpuset_cpus) &&
	       set_string(json, "mems", resources->cpuset_mems);
}

static bool print_pids(json_t *json, const struct spec_resources *resources)
{
	return set_positive(json, "limit", resources->pids_limit);
}

static bool print_block_limit(json_t *json, const struct spec_block_limit *limit)
{
	const char *key = spec_name_of(spec_block_names, limit->kind);
	json_t *array = json_object_get(json, key);
	json_t *entry;

	if (!array)
		array = add_array(json, key);
	entry = array ? append_object(array) : NULL;
	return entry && set(entry, "major", json_integer(limit->major)) &&
	       set(entry, "minor", json_integer(limit->minor)) &&
	       set(entry, limit->kind == SPEC_BLOCK_WEIGHT ? "weight" : "rate",
		   json_integer((json_int_t)limit->value));
}

static bool print_block(json_t *json, const struct spec_resources *resources)
{
	bool good = set_positive(json, "weight", (int64_t)resources->block_weight);

	for (size_t i = 0; good && i < resources->nblock_limits; i++)
		good = print_block_limit(json, &resources->block_limits[i]);
	return good;
}

static const struct {
	const char *key;
	bool (*print)(json_t *json, const struct spec_resources *resources);
} sections[] = {
	{ "memory", print_memory },
	{ "cpu", print_cpu },
	{ "pids", print_pids },
	{ "blockIO", print_block },
};

/* A section with nothing in it is left out. */
bool spec_print_resources(json_t *section, const struct spec_resources *resources)
{
	json_t *json = add_object(section, "resources");

	if (!json || !print_device_rules(json, resources))
		return false;
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		json_t *part = add_object(json, sections[i].key);

		if (!part || !sections[i].print(part, resources))
			return false;
		if (json_object_size(part) == 0)
			json_object_del(json, sections[i].key);
	}
	return true;
}
