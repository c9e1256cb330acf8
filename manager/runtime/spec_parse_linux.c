/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_take.h"

static int parse_namespaces(const json_t *json, struct spec *spec, struct err *err)
{
	json_t *array = NULL;
	json_t *entry;
	size_t i;
	int result = json_get_array(json, "namespaces", &array, err);

	json_array_foreach (array, i, entry) {
		const struct spec_name *name;
		struct spec_join *join;
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
		if (spec->namespaces & name->value)
			return err_set(err, ERR_INVALID, EINVAL,
				       "namespaces: type \"%.64s\" is there twice", type);
		join = &spec->joins[spec_namespace_index(name->value)];
		result = spec_take_string(entry, "path", &join->path, err);
		if (result == 0 && join->path && join->path[0] != '/')
			result = spec_invalid(err, "path", "is not absolute");
		if (result < 0)
			return err_wrap(err, "namespaces: %s", type);
		spec->namespaces |= (unsigned)name->value;
	}
	return result;
}

static int parse_device(const json_t *json, struct spec_device *device, struct err *err)
{
	int result = spec_take_string(json, "path", &device->path, err);

	device->file_mode = 0666;
	if (result == 0)
		result = spec_take_letter(json, "type", "cubp", &device->type, err);
	if (result == 0)
		result = spec_take_number(json, "major", 0, SPEC_DEVICE_NUMBER_MAX, &device->major,
					  err);
	if (result == 0)
		result = spec_take_number(json, "minor", 0, SPEC_DEVICE_NUMBER_MAX, &device->minor,
					  err);
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

static int parse_sysctl(const json_t *section, struct spec *spec, struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(section, "sysctl", &json, err);

	if (result == 0 && json_object_size(json))
		result = spec_take_pairs(json, &spec->sysctl, err);
	return result < 0 ? err_wrap(err, "sysctl") : 0;
}

/* Kept as JSON: it is read when it is compiled, which is seldom, as programs are cached. */
static int parse_seccomp(const json_t *section, struct spec *spec, struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(section, "seccomp", &json, err);

	return result < 0 || !json ? result : json_print(json, false, &spec->seccomp, err);
}

int spec_parse_linux(const json_t *root, struct spec *spec, struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(root, "linux", &json, err);

	if (result < 0 || !json)
		return result;
	result = parse_namespaces(json, spec, err);
	if (result == 0)
		result = parse_devices(json, spec, err);
	if (result == 0)
		result = spec_parse_resources(json, &spec->resources, err);
	if (result == 0)
		result = spec_take_string(json, "cgroupsPath", &spec->cgroups_path, err);
	if (result == 0)
		result = json_get_strv(json, "maskedPaths", &spec->masked_paths, err);
	if (result == 0)
		result = json_get_strv(json, "readonlyPaths", &spec->readonly_paths, err);
	if (result == 0)
		result = parse_sysctl(json, spec, err);
	if (result == 0)
		result = parse_seccomp(json, spec, err);
	return result < 0 ? err_wrap(err, "linux") : 0;
}
