/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/caps.h"
#include "manager/runtime/spec.h"
#include "manager/runtime/spec_health.h"
#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_put.h"
#include "store/json.h"

#define OCI_VERSION "1.2.0"

static bool print_user(json_t *process, const struct spec_user *user)
{
	json_t *json = add_object(process, "user");
	json_t *gids;
	bool good = json && set(json, "uid", json_integer(user->uid)) &&
		    set(json, "gid", json_integer(user->gid)) &&
		    set(json, "umask", json_integer(user->umask));

	if (!good || !user->nadditional_gids)
		return good;
	gids = add_array(json, "additionalGids");
	for (size_t i = 0; gids && i < user->nadditional_gids; i++)
		if (json_array_append_new(gids, json_integer(user->additional_gids[i])) < 0)
			return false;
	return gids;
}

static bool print_capability_set(json_t *json, const char *key, uint64_t set)
{
	json_t *array = add_array(json, key);

	for (int i = 0; array && i < 64; i++) {
		const char *name = set & UINT64_C(1) << i ? capability_name(i) : NULL;

		if (name && json_array_append_new(array, json_string(name)) < 0)
			return false;
	}
	return array;
}

static bool print_capabilities(json_t *process, const struct spec_capabilities *sets)
{
	json_t *json = add_object(process, "capabilities");

	return json && print_capability_set(json, "bounding", sets->bounding) &&
	       print_capability_set(json, "effective", sets->effective) &&
	       print_capability_set(json, "inheritable", sets->inheritable) &&
	       print_capability_set(json, "permitted", sets->permitted) &&
	       print_capability_set(json, "ambient", sets->ambient);
}

/* Values are unsigned there, and RLIM_INFINITY is the largest: jansson's integers are signed. */
static json_t *limit_value(uint64_t value)
{
	return value > INT64_MAX ? json_integer(-1) : json_integer((int64_t)value);
}

static bool print_rlimits(json_t *process, const struct spec_process *from)
{
	json_t *array = from->nrlimits ? add_array(process, "rlimits") : NULL;

	if (!from->nrlimits)
		return true;
	for (size_t i = 0; array && i < from->nrlimits; i++) {
		const struct spec_rlimit *limit = &from->rlimits[i];
		json_t *json = append_object(array);

		if (!json ||
		    !set_string(json, "type",
				spec_name_of(spec_rlimit_names, (unsigned long)limit->resource)) ||
		    !set(json, "hard", limit_value(limit->hard)) ||
		    !set(json, "soft", limit_value(limit->soft)))
			return false;
	}
	return array;
}

static bool print_process(json_t *root, const struct spec_process *process)
{
	json_t *json = add_object(root, "process");
	json_t *size;

	if (!json || !set(json, "terminal", json_boolean(process->terminal)))
		return false;
	if (process->rows && process->cols) {
		size = add_object(json, "consoleSize");
		if (!size || !set(size, "height", json_integer(process->rows)) ||
		    !set(size, "width", json_integer(process->cols)))
			return false;
	}
	if (process->has_oom_score_adj &&
	    !set(json, "oomScoreAdj", json_integer(process->oom_score_adj)))
		return false;
	return print_user(json, &process->user) && set_strings(json, "args", process->args) &&
	       set_strings(json, "env", process->env) && set_string(json, "cwd", process->cwd) &&
	       print_capabilities(json, &process->capabilities) && print_rlimits(json, process) &&
	       set(json, "noNewPrivileges", json_boolean(process->no_new_privileges));
}

static bool print_mounts(json_t *root, const struct spec *spec)
{
	json_t *array = add_array(root, "mounts");

	for (size_t i = 0; array && i < spec->nmounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		json_t *json = append_object(array);

		if (!json || !set_string(json, "destination", mount->destination) ||
		    !set_string(json, "type", mount->type) ||
		    !set_string(json, "source", mount->source) ||
		    !set_strings(json, "options", mount->options))
			return false;
	}
	return array;
}

static bool print_namespaces(json_t *section, const struct spec *spec)
{
	json_t *array = add_array(section, "namespaces");

	for (const struct spec_name *name = spec_namespace_names; array && name->name; name++) {
		json_t *json;

		if (!(spec->namespaces & name->value))
			continue;
		json = append_object(array);
		if (!json || !set_string(json, "type", name->name) ||
		    !set_string(json, "path", spec->joins[spec_namespace_index(name->value)].path))
			return false;
	}
	return array;
}

static bool print_devices(json_t *section, const struct spec *spec)
{
	json_t *array = add_array(section, "devices");

	for (size_t i = 0; array && i < spec->ndevices; i++) {
		const struct spec_device *device = &spec->devices[i];
		json_t *json = append_object(array);

		if (!json || !set_string(json, "path", device->path) ||
		    !set(json, "type", letter(device->type)) ||
		    !set(json, "major", json_integer(device->major)) ||
		    !set(json, "minor", json_integer(device->minor)) ||
		    !set(json, "fileMode", json_integer(device->file_mode)) ||
		    !set(json, "uid", json_integer(device->uid)) ||
		    !set(json, "gid", json_integer(device->gid)))
			return false;
	}
	return array;
}

static bool print_sysctl(json_t *section, char *const *sysctl)
{
	json_t *json = sysctl ? add_object(section, "sysctl") : NULL;

	return !sysctl || (json && set_pairs(json, sysctl));
}

/* It was JSON when it was read. */
static bool print_seccomp(json_t *section, const char *seccomp)
{
	struct err ignored = ERR_INIT;
	json_t *json = NULL;

	if (!seccomp)
		return true;
	return json_parse("seccomp", seccomp, strlen(seccomp), &json, &ignored) == 0 &&
	       set(section, "seccomp", json);
}

static bool print_linux(json_t *root, const struct spec *spec)
{
	json_t *json = add_object(root, "linux");

	return json && print_namespaces(json, spec) && print_devices(json, spec) &&
	       spec_print_resources(json, &spec->resources) &&
	       set_string(json, "cgroupsPath", spec->cgroups_path) &&
	       set_strings(json, "maskedPaths", spec->masked_paths) &&
	       set_strings(json, "readonlyPaths", spec->readonly_paths) &&
	       print_sysctl(json, spec->sysctl) && print_seccomp(json, spec->seccomp);
}

static bool print_root(json_t *root, const struct spec *spec)
{
	json_t *json = add_object(root, "root");

	/* the specification wants a path; of an overlay the annotations tell more */
	return json && set_string(json, "path", spec->root_path ? spec->root_path : "rootfs") &&
	       set(json, "readonly", json_boolean(spec->root_readonly));
}

int spec_print(const struct spec *spec, char **out, struct err *err)
{
	AUTO_JSON json_t *root = json_object();

	if (!root || !set_string(root, "ociVersion", OCI_VERSION) ||
	    !print_process(root, &spec->process) || !print_root(root, spec) ||
	    !set_string(root, "hostname", spec->hostname) ||
	    !set_string(root, "domainname", spec->domainname) || !print_mounts(root, spec) ||
	    !print_linux(root, spec) || !spec_print_notes(root, spec))
		return err_set(err, ERR_INVALID, EINVAL,
			       "cannot write the configuration as JSON: "
			       "a text in it is not UTF-8, or there is no memory");
	return json_print(root, false, out, err);
}
