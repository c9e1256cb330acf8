/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/caps.h"
#include "manager/runtime/spec.h"
#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_put.h"
#include "store/json.h"

#define OCI_VERSION "1.2.0"

static json_t *strings(char *const *v)
{
	json_t *array = json_array();

	for (; v && *v; v++)
		if (json_array_append_new(array, json_string(*v)) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static bool set_strings(json_t *object, const char *key, char *const *v)
{
	return !v || set(object, key, strings(v));
}

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

static bool print_namespaces(json_t *section, unsigned namespaces)
{
	json_t *array = add_array(section, "namespaces");

	for (const struct spec_name *name = spec_namespace_names; array && name->name; name++) {
		json_t *json;

		if (!(namespaces & name->value))
			continue;
		json = append_object(array);
		if (!json || !set_string(json, "type", name->name))
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

static bool print_linux(json_t *root, const struct spec *spec)
{
	json_t *json = add_object(root, "linux");

	return json && print_namespaces(json, spec->namespaces) && print_devices(json, spec) &&
	       spec_print_resources(json, &spec->resources) &&
	       set_string(json, "cgroupsPath", spec->cgroups_path) &&
	       set_strings(json, "maskedPaths", spec->masked_paths) &&
	       set_strings(json, "readonlyPaths", spec->readonly_paths);
}

static bool set_flag(json_t *notes, const char *key, bool value)
{
	return !value || set(notes, key, json_string("true"));
}

static bool print_lower(json_t *notes, char *const *lower)
{
	AUTO_JSON json_t *array = NULL;
	struct err ignored;
	char *text = NULL;
	bool good;

	if (!lower)
		return true;
	array = strings(lower);
	if (!array || json_print(array, false, &text, &ignored) < 0)
		return false;
	good = set_string(notes, SPEC_NOTE_LOWER, text);
	free(text);
	return good;
}

static bool print_notes(json_t *root, const struct spec *spec)
{
	json_t *notes = add_object(root, "annotations");
	char number[16];

	snprintf(number, sizeof(number), "%d", spec->stop_signal);
	return notes && set_string(notes, SPEC_NOTE_USER, spec->process.user.lookup) &&
	       set_flag(notes, SPEC_NOTE_STDIN, spec->process.open_stdin) &&
	       print_lower(notes, spec->overlay.lower) &&
	       set_string(notes, SPEC_NOTE_UPPER, spec->overlay.upper) &&
	       set_string(notes, SPEC_NOTE_WORK, spec->overlay.work) &&
	       set_flag(notes, SPEC_NOTE_VOLATILE, spec->overlay.is_volatile) &&
	       set_flag(notes, SPEC_NOTE_UNCONFINED, !spec->seccomp_default) &&
	       set_flag(notes, SPEC_NOTE_INIT, spec->init) &&
	       (!spec->stop_signal || set_string(notes, SPEC_NOTE_STOP_SIGNAL, number));
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
	    !set_string(root, "hostname", spec->hostname) || !print_mounts(root, spec) ||
	    !print_linux(root, spec) || !print_notes(root, spec))
		return err_set(err, ERR_INVALID, EINVAL,
			       "cannot write the configuration as JSON: "
			       "a text in it is not UTF-8, or there is no memory");
	return json_print(root, false, out, err);
}
