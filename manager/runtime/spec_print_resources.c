/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_put.h"
#include "store/json_write.h"

static void add_positive(struct buf *out, const char *key, int64_t value)
{
	if (value > 0)
		json_add_int(out, key, value);
}

static void print_device_rules(struct buf *out, const struct spec_resources *resources)
{
	json_begin_array(out, "devices");
	for (size_t i = 0; i < resources->ndevices; i++) {
		const struct spec_device_rule *rule = &resources->devices[i];

		json_begin_object(out, NULL);
		json_add_bool(out, "allow", rule->allow);
		json_add_text(out, "type", &rule->type, 1);
		json_add_string(out, "access", rule->access);
		/* a number that is not there stands for any */
		if (rule->major >= 0)
			json_add_int(out, "major", rule->major);
		if (rule->minor >= 0)
			json_add_int(out, "minor", rule->minor);
		json_end_object(out);
	}
	json_end_array(out);
}

static void print_memory(struct buf *out, const struct spec_resources *resources)
{
	add_positive(out, "limit", resources->memory_limit);
	add_positive(out, "reservation", resources->memory_reservation);
	if (resources->memory_swap)
		json_add_int(out, "swap", resources->memory_swap < 0 ? -1 : resources->memory_swap);
	if (resources->has_swappiness)
		json_add_int(out, "swappiness", resources->swappiness);
	if (resources->oom_kill_disable)
		json_add_bool(out, "disableOOMKiller", true);
}

static void print_cpu(struct buf *out, const struct spec_resources *resources)
{
	add_positive(out, "shares", (int64_t)resources->cpu_shares);
	add_positive(out, "quota", resources->cpu_quota);
	add_positive(out, "period", (int64_t)resources->cpu_period);
	json_add_string(out, "cpus", resources->cpuset_cpus);
	json_add_string(out, "mems", resources->cpuset_mems);
}

static void print_pids(struct buf *out, const struct spec_resources *resources)
{
	add_positive(out, "limit", resources->pids_limit);
}

static void print_block_limit(struct buf *out, const struct spec_block_limit *limit)
{
	json_begin_object(out, NULL);
	json_add_int(out, "major", limit->major);
	json_add_int(out, "minor", limit->minor);
	json_add_int(out, limit->kind == SPEC_BLOCK_WEIGHT ? "weight" : "rate",
		     (int64_t)limit->value);
	json_end_object(out);
}

/* Those of a kind are in one array, which comes where the first of them is. */
static void print_block(struct buf *out, const struct spec_resources *resources)
{
	const struct spec_block_limit *limits = resources->block_limits;
	unsigned printed = 0;

	add_positive(out, "weight", (int64_t)resources->block_weight);
	for (size_t i = 0; i < resources->nblock_limits; i++) {
		if (printed & 1u << limits[i].kind)
			continue;
		printed |= 1u << limits[i].kind;
		json_begin_array(out, spec_name_of(spec_block_names, limits[i].kind));
		for (size_t j = i; j < resources->nblock_limits; j++)
			if (limits[j].kind == limits[i].kind)
				print_block_limit(out, &limits[j]);
		json_end_array(out);
	}
}

static const struct {
	const char *key;
	void (*print)(struct buf *out, const struct spec_resources *resources);
} sections[] = {
	{ "memory", print_memory },
	{ "cpu", print_cpu },
	{ "pids", print_pids },
	{ "blockIO", print_block },
};

/* A section with nothing in it is left out. */
void spec_print_resources(struct buf *out, const struct spec_resources *resources)
{
	json_begin_object(out, "resources");
	print_device_rules(out, resources);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const size_t before = out->len;

		json_begin_object(out, sections[i].key);
		sections[i].print(out, resources);
		json_end_object_or_drop(out, before);
	}
	json_end_object(out);
}
