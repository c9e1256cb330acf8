/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/ending.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "manager/signals.h"
#include "store/json.h"

/* --- print: each adds what is known, and counts what could not be added --- */

static void add(json_t *object, const char *key, json_t *value, int *failures)
{
	*failures += json_object_set_new(object, key, value) < 0;
}

static void add_number(json_t *object, const char *key, uint64_t value, int *failures)
{
	if (value > 0 && value <= INT64_MAX)
		add(object, key, json_integer((json_int_t)value), failures);
}

/* Unless there is nothing in it. */
static void add_object(json_t *object, const char *key, json_t *value, int *failures)
{
	if (json_object_size(value) > 0)
		add(object, key, value, failures);
	else
		json_decref(value);
}

static json_t *health_value(const struct ending *ending, int *failures)
{
	json_t *health = json_object();

	add_number(health, "lost", ending->health_lost, failures);
	return health;
}

static json_t *memory_value(const struct usage_end *usage, int *failures)
{
	json_t *memory = json_object();

	add_number(memory, "peak", usage->memory_peak, failures);
	add_number(memory, "limit", usage->memory_limit, failures);
	add_number(memory, "oom_kills", usage->oom_kills, failures);
	return memory;
}

static json_t *pids_value(const struct usage_end *usage, int *failures)
{
	json_t *pids = json_object();

	add_number(pids, "peak", usage->pids_peak, failures);
	add_number(pids, "limit", usage->pids_limit, failures);
	add_number(pids, "refused", usage->pids_refused, failures);
	return pids;
}

static void add_pressure(json_t *object, const char *key, const struct usage_pressure *pressure,
			 int *failures)
{
	if (pressure->known)
		add(object, key,
		    json_pack("{s:f, s:f}", "some", pressure->some, "full", pressure->full),
		    failures);
}

static json_t *pressure_value(const struct usage_end *usage, int *failures)
{
	json_t *pressure = json_object();

	add_pressure(pressure, "cpu", &usage->cpu_pressure, failures);
	add_pressure(pressure, "memory", &usage->memory_pressure, failures);
	add_pressure(pressure, "io", &usage->io_pressure, failures);
	if (json_object_size(pressure) > 0)
		add(pressure, "of", json_string(usage->pressure_of_host ? "host" : "container"),
		    failures);
	return pressure;
}

int ending_print(const struct ending *ending, char **out, struct err *err)
{
	AUTO_JSON json_t *object = json_object();
	char name[SIGNAL_NAME_MAX];
	int failures = 0;

	add(object, "duration_ns", json_integer(ending->duration_ns), &failures);
	if (ending->signal)
		add(object, "signal", json_string(signal_name(ending->signal, name)), &failures);
	if (ending->ended_with[0])
		add(object, "ended_with", json_string(ending->ended_with), &failures);
	add_object(object, "health", health_value(ending, &failures), &failures);
	add_object(object, "memory", memory_value(&ending->usage, &failures), &failures);
	add_object(object, "pids", pids_value(&ending->usage, &failures), &failures);
	add_object(object, "pressure", pressure_value(&ending->usage, &failures), &failures);
	if (failures > 0)
		return err_sys(err, ENOMEM, "cannot keep how it ended");
	return json_print(object, false, out, err);
}

/* --- parse --- */

static int take_number(const json_t *object, const char *key, uint64_t *out, struct err *err)
{
	int64_t value = 0;
	int r = json_get_int(object, key, &value, err);

	if (r == 0 && value > 0)
		*out = (uint64_t)value;
	return r;
}

static int take_health(const json_t *root, struct ending *out, struct err *err)
{
	json_t *health = NULL;
	int r = json_get_object(root, "health", &health, err);

	return r < 0 || !health ? r : take_number(health, "lost", &out->health_lost, err);
}

static int take_memory(const json_t *root, struct usage_end *out, struct err *err)
{
	json_t *memory = NULL;
	int r = json_get_object(root, "memory", &memory, err);

	if (r < 0 || !memory)
		return r;
	r = take_number(memory, "peak", &out->memory_peak, err);
	if (r == 0)
		r = take_number(memory, "limit", &out->memory_limit, err);
	return r < 0 ? r : take_number(memory, "oom_kills", &out->oom_kills, err);
}

static int take_pids(const json_t *root, struct usage_end *out, struct err *err)
{
	json_t *pids = NULL;
	int r = json_get_object(root, "pids", &pids, err);

	if (r < 0 || !pids)
		return r;
	r = take_number(pids, "peak", &out->pids_peak, err);
	if (r == 0)
		r = take_number(pids, "limit", &out->pids_limit, err);
	return r < 0 ? r : take_number(pids, "refused", &out->pids_refused, err);
}

static int take_one_pressure(const json_t *pressure, const char *key, struct usage_pressure *out,
			     struct err *err)
{
	json_t *one = NULL;
	int r = json_get_object(pressure, key, &one, err);

	if (r < 0 || !one)
		return r;
	*out = (struct usage_pressure){
		.known = true,
		.some = json_number_value(json_object_get(one, "some")),
		.full = json_number_value(json_object_get(one, "full")),
	};
	return 0;
}

static int take_pressure(const json_t *root, struct usage_end *out, struct err *err)
{
	const char *of = NULL;
	json_t *pressure = NULL;
	int r = json_get_object(root, "pressure", &pressure, err);

	if (r < 0 || !pressure)
		return r;
	r = json_get_string(pressure, "of", &of, err);
	out->pressure_of_host = of && strcmp(of, "host") == 0;
	if (r == 0)
		r = take_one_pressure(pressure, "cpu", &out->cpu_pressure, err);
	if (r == 0)
		r = take_one_pressure(pressure, "memory", &out->memory_pressure, err);
	return r < 0 ? r : take_one_pressure(pressure, "io", &out->io_pressure, err);
}

int ending_parse(const char *text, struct ending *out, struct err *err)
{
	AUTO_JSON json_t *root = NULL;
	struct ending ending = { 0 };
	const char *name = NULL, *with = NULL;
	int r = json_parse("ending", text, strlen(text), &root, err);

	if (r == 0)
		r = json_get_int(root, "duration_ns", &ending.duration_ns, err);
	if (r == 0)
		r = json_get_string(root, "signal", &name, err);
	if (r == 0)
		r = json_get_string(root, "ended_with", &with, err);
	if (r == 0)
		r = take_health(root, &ending, err);
	if (r == 0)
		r = take_memory(root, &ending.usage, err);
	if (r == 0)
		r = take_pids(root, &ending.usage, err);
	if (r == 0)
		r = take_pressure(root, &ending.usage, err);
	if (r < 0)
		return r;
	if (name && signal_from_name(name) > 0)
		ending.signal = signal_from_name(name);
	if (with)
		snprintf(ending.ended_with, sizeof(ending.ended_with), "%s", with);
	*out = ending;
	return 0;
}
