/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "manager/runtime/caps.h"
#include "manager/runtime/spec.h"
#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_put.h"
#include "store/json_write.h"

#define OCI_VERSION "1.2.0"
#define USUAL_BYTES 8000 /* twice what most containers need */

static void print_user(struct buf *out, const struct spec_user *user)
{
	json_begin_object(out, "user");
	json_add_int(out, "uid", user->uid);
	json_add_int(out, "gid", user->gid);
	json_add_int(out, "umask", user->umask);
	if (user->nadditional_gids) {
		json_begin_array(out, "additionalGids");
		for (size_t i = 0; i < user->nadditional_gids; i++)
			json_add_int(out, NULL, user->additional_gids[i]);
		json_end_array(out);
	}
	json_end_object(out);
}

static void print_capability_set(struct buf *out, const char *key, uint64_t set)
{
	json_begin_array(out, key);
	for (int i = 0; i < 64; i++)
		if (set & UINT64_C(1) << i)
			json_add_string(out, NULL, capability_name(i));
	json_end_array(out);
}

static void print_capabilities(struct buf *out, const struct spec_capabilities *sets)
{
	json_begin_object(out, "capabilities");
	print_capability_set(out, "bounding", sets->bounding);
	print_capability_set(out, "effective", sets->effective);
	print_capability_set(out, "inheritable", sets->inheritable);
	print_capability_set(out, "permitted", sets->permitted);
	print_capability_set(out, "ambient", sets->ambient);
	json_end_object(out);
}

/* Values are unsigned there, and RLIM_INFINITY is the largest: jansson's integers are signed. */
static int64_t limit_value(uint64_t value)
{
	return value > INT64_MAX ? -1 : (int64_t)value;
}

static void print_rlimits(struct buf *out, const struct spec_process *process)
{
	if (!process->nrlimits)
		return;
	json_begin_array(out, "rlimits");
	for (size_t i = 0; i < process->nrlimits; i++) {
		const struct spec_rlimit *limit = &process->rlimits[i];

		json_begin_object(out, NULL);
		json_add_string(out, "type",
				spec_name_of(spec_rlimit_names, (unsigned long)limit->resource));
		json_add_int(out, "hard", limit_value(limit->hard));
		json_add_int(out, "soft", limit_value(limit->soft));
		json_end_object(out);
	}
	json_end_array(out);
}

static void print_process(struct buf *out, const struct spec_process *process)
{
	json_begin_object(out, "process");
	json_add_bool(out, "terminal", process->terminal);
	if (process->rows && process->cols) {
		json_begin_object(out, "consoleSize");
		json_add_int(out, "height", process->rows);
		json_add_int(out, "width", process->cols);
		json_end_object(out);
	}
	if (process->has_oom_score_adj)
		json_add_int(out, "oomScoreAdj", process->oom_score_adj);
	print_user(out, &process->user);
	json_add_strv(out, "args", process->args);
	json_add_strv(out, "env", process->env);
	json_add_string(out, "cwd", process->cwd);
	print_capabilities(out, &process->capabilities);
	print_rlimits(out, process);
	json_add_bool(out, "noNewPrivileges", process->no_new_privileges);
	json_end_object(out);
}

static void print_root(struct buf *out, const struct spec *spec)
{
	json_begin_object(out, "root");
	/* the specification wants a path; of an overlay the annotations tell more */
	json_add_string(out, "path", spec->root_path ? spec->root_path : "rootfs");
	json_add_bool(out, "readonly", spec->root_readonly);
	json_end_object(out);
}

static void print_mounts(struct buf *out, const struct spec *spec)
{
	json_begin_array(out, "mounts");
	for (size_t i = 0; i < spec->nmounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		json_begin_object(out, NULL);
		json_add_string(out, "destination", mount->destination);
		json_add_string(out, "type", mount->type);
		json_add_string(out, "source", mount->source);
		json_add_strv(out, "options", mount->options);
		json_end_object(out);
	}
	json_end_array(out);
}

static void print_namespaces(struct buf *out, const struct spec *spec)
{
	json_begin_array(out, "namespaces");
	for (const struct spec_name *name = spec_namespace_names; name->name; name++) {
		if (!(spec->namespaces & name->value))
			continue;
		json_begin_object(out, NULL);
		json_add_string(out, "type", name->name);
		json_add_string(out, "path", spec->joins[spec_namespace_index(name->value)].path);
		json_end_object(out);
	}
	json_end_array(out);
}

static void print_devices(struct buf *out, const struct spec *spec)
{
	json_begin_array(out, "devices");
	for (size_t i = 0; i < spec->ndevices; i++) {
		const struct spec_device *device = &spec->devices[i];

		json_begin_object(out, NULL);
		json_add_string(out, "path", device->path);
		json_add_text(out, "type", &device->type, 1);
		json_add_int(out, "major", device->major);
		json_add_int(out, "minor", device->minor);
		json_add_int(out, "fileMode", device->file_mode);
		json_add_int(out, "uid", device->uid);
		json_add_int(out, "gid", device->gid);
		json_end_object(out);
	}
	json_end_array(out);
}

void spec_print_pairs(struct buf *out, char *const *pairs)
{
	for (; pairs && *pairs; pairs++) {
		const char *value = strchr(*pairs, '=');

		if (!value) {
			buf_fail(out);
			return;
		}
		json_add_key(out, *pairs, (size_t)(value - *pairs));
		json_add_string(out, NULL, value + 1);
	}
}

static void print_linux(struct buf *out, const struct spec *spec)
{
	json_begin_object(out, "linux");
	print_namespaces(out, spec);
	print_devices(out, spec);
	spec_print_resources(out, &spec->resources);
	json_add_string(out, "cgroupsPath", spec->cgroups_path);
	json_add_strv(out, "maskedPaths", spec->masked_paths);
	json_add_strv(out, "readonlyPaths", spec->readonly_paths);
	if (spec->sysctl) {
		json_begin_object(out, "sysctl");
		spec_print_pairs(out, spec->sysctl);
		json_end_object(out);
	}
	if (spec->seccomp)
		json_add_raw(out, "seccomp", spec->seccomp);
	json_end_object(out);
}

int spec_print(const struct spec *spec, char **out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;

	buf_reserve(&text, USUAL_BYTES);
	json_begin_object(&text, NULL);
	json_add_string(&text, "ociVersion", OCI_VERSION);
	print_process(&text, &spec->process);
	print_root(&text, spec);
	json_add_string(&text, "hostname", spec->hostname);
	json_add_string(&text, "domainname", spec->domainname);
	print_mounts(&text, spec);
	print_linux(&text, spec);
	spec_print_notes(&text, spec);
	json_end_object(&text);
	if (buf_failed(&text))
		return err_set(err, ERR_INVALID, EINVAL,
			       "cannot write the configuration as JSON: "
			       "a text in it is not UTF-8, or there is no memory");
	*out = buf_steal(&text);
	return 0;
}
