/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_take.h"

#define NUMBER_MAX 0xfffff /* of a device: 12 bits for the major, 20 for the minor one */

static int parse_namespaces(const json_t *json, unsigned *out, struct err *err)
{
	json_t *array = NULL;
	json_t *entry;
	size_t i;
	unsigned set = 0;
	int result = json_get_array(json, "namespaces", &array, err);

	json_array_foreach (array, i, entry) {
		const struct spec_name *name;
		const char *type = "";

		if (!json_is_object(entry))
			return spec_invalid(err, "namespaces",
					    "has an entry that is not an object");
		result = json_get_string(entry, "type", &type, err);
		if (result < 0)
			return result;
		name = spec_name_find(spec_namespace_names, type);
		if (!name)
			return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
				       "namespaces: unknown type \"%.64s\"", type);
		if (json_object_get(entry, "path"))
			return err_set(
				err, ERR_UNSUPPORTED, ENOTSUP,
				"namespaces: joining a %s namespace by its path is not supported",
				type);
		set |= (unsigned)name->value;
	}
	*out = set;
	return result;
}

/* A type of one letter out of `letters`. */
static int take_letter(const json_t *json, const char *key, const char *letters, char *out,
		       struct err *err)
{
	const char *value = NULL;
	int result = json_get_string(json, key, &value, err);

	if (result < 0 || !value)
		return result;
	if (strlen(value) != 1 || !strchr(letters, value[0]))
		return err_set(err, ERR_INVALID, EINVAL, "%s: unknown type \"%.16s\"", key, value);
	*out = value[0];
	return 0;
}

static int parse_device(const json_t *json, struct spec_device *device, struct err *err)
{
	int result = spec_take_string(json, "path", &device->path, err);

	device->file_mode = 0666;
	if (result == 0)
		result = take_letter(json, "type", "cubp", &device->type, err);
	if (result == 0)
		result = spec_take_number(json, "major", 0, NUMBER_MAX, &device->major, err);
	if (result == 0)
		result = spec_take_number(json, "minor", 0, NUMBER_MAX, &device->minor, err);
	if (result == 0)
		result = spec_take_mode(json, "fileMode", &device->file_mode, err);
	if (result == 0)
		result = spec_take_id(json, "uid", &device->uid, err);
	if (result == 0)
		result = spec_take_id(json, "gid", &device->gid, err);
	if (result < 0)
		return result;
	if (!device->path || device->path[0] != '/')
		return spec_invalid(err, "path", "is missing or not absolute");
	if (!device->type)
		return spec_invalid(err, "type", "is missing");
	if (device->type == 'u') /* an unbuffered character device: the same to Linux */
		device->type = 'c';
	return 0;
}

static int parse_devices(const json_t *json, struct spec *spec, struct err *err)
{
	json_t *array;
	json_t *entry;
	size_t i;
	int result = spec_take_array(json, "devices", sizeof(*spec->devices), &array,
				     (void **)&spec->devices, err);

	json_array_foreach (array, i, entry) {
		result = parse_device(entry, &spec->devices[spec->ndevices++], err);
		if (result < 0)
			return err_wrap(err, "devices: entry %zu", i + 1);
	}
	return result;
}

static int parse_rule(const json_t *json, struct spec_device_rule *rule, struct err *err)
{
	const char *access = "rwm";
	int result = json_get_bool(json, "allow", &rule->allow, err);

	rule->type = 'a';
	rule->major = rule->minor = -1;
	if (result == 0)
		result = take_letter(json, "type", "acb", &rule->type, err);
	if (result == 0)
		result = spec_take_number(json, "major", -1, NUMBER_MAX, &rule->major, err);
	if (result == 0)
		result = spec_take_number(json, "minor", -1, NUMBER_MAX, &rule->minor, err);
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
	resources->cpu_shares = (uint64_t)shares;
	resources->cpu_period = (uint64_t)period;
	return result < 0 ? err_wrap(err, "cpu") : 0;
}

/* memory and pids have one limit each that counts here. */
static int parse_limit(const json_t *json, const char *key, int64_t *out, struct err *err)
{
	json_t *section = NULL;
	int result = json_get_object(json, key, &section, err);

	if (result < 0 || !section)
		return result;
	result = take_limit(section, "limit", out, err);
	return result < 0 ? err_wrap(err, "%s", key) : 0;
}

static int parse_resources(const json_t *section, struct spec_resources *resources, struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(section, "resources", &json, err);

	if (result < 0 || !json)
		return result;
	result = parse_rules(json, resources, err);
	if (result == 0)
		result = parse_limit(json, "memory", &resources->memory_limit, err);
	if (result == 0)
		result = parse_cpu(json, resources, err);
	if (result == 0)
		result = parse_limit(json, "pids", &resources->pids_limit, err);
	return result < 0 ? err_wrap(err, "resources") : 0;
}

int spec_parse_linux(const json_t *root, struct spec *spec, struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(root, "linux", &json, err);

	if (result < 0 || !json)
		return result;
	result = parse_namespaces(json, &spec->namespaces, err);
	if (result == 0)
		result = parse_devices(json, spec, err);
	if (result == 0)
		result = parse_resources(json, &spec->resources, err);
	if (result == 0)
		result = spec_take_string(json, "cgroupsPath", &spec->cgroups_path, err);
	if (result == 0)
		result = json_get_strv(json, "maskedPaths", &spec->masked_paths, err);
	if (result == 0)
		result = json_get_strv(json, "readonlyPaths", &spec->readonly_paths, err);
	return result < 0 ? err_wrap(err, "linux") : 0;
}
