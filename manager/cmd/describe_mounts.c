/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts and volumes as JSON. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "manager/cmd/describe.h"
#include "manager/cmd/human.h"
#include "manager/volume_options.h"
#include "manager/wanted_mounts.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/store.h"

/* The value of a mark among a mount's options, or NULL. */
static const char *mark_of(const json_t *options, const char *mark)
{
	const json_t *option;
	size_t i;

	json_array_foreach (options, i, option) {
		const char *text = json_string_value(option);

		if (text && begins_with(text, mark))
			return text + strlen(mark);
	}
	return NULL;
}

/* The last of `words` among the options, or NULL. */
static const char *last_of(const json_t *options, const char *const *words)
{
	const char *found = NULL;
	const json_t *option;
	size_t i;

	json_array_foreach (options, i, option)
		for (const char *const *word = words; *word; word++)
			if (json_string_value(option) &&
			    strcmp(json_string_value(option), *word) == 0)
				found = *word;
	return found;
}

static json_t *mount_value(const json_t *mount, const json_t *options, const char *type)
{
	static const char *const modes[] = { "ro", "rw", NULL };
	static const char *const propagations[] = { "private", "rprivate", "shared", "rshared",
						    "slave",   "rslave",   NULL };
	const char *name = mark_of(options, MOUNT_MARK_NAME);
	const char *mode = last_of(options, modes);
	const char *propagation = last_of(options, propagations);
	const char *source = json_string_value(json_object_get(mount, "source"));
	const bool read_only = mode && strcmp(mode, "ro") == 0;
	json_t *value = json_pack(
		"{s:s, s:s, s:s, s:O*, s:s, s:s, s:b, s:s}", "Type", type, "Name", name ? name : "",
		"Source", strcmp(type, "tmpfs") != 0 && source ? source : "", "Destination",
		json_object_get(mount, "destination"), "Driver", name ? "local" : "", "Mode",
		read_only ? "ro" : "", "RW", !read_only, "Propagation",
		propagation && strcmp(type, "bind") == 0 ? propagation : "");

	return value;
}

json_t *describe_mounts(const json_t *spec)
{
	const json_t *mounts = json_object_get(spec, "mounts");
	json_t *list = json_array();
	const json_t *mount;
	size_t i;

	json_array_foreach (mounts, i, mount) {
		const json_t *options = json_object_get(mount, "options");
		const char *type = mark_of(options, MOUNT_MARK_TYPE);

		if (type && json_array_append_new(list, mount_value(mount, options, type)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Null where there is none or it is damaged. */
static json_t *object_value(const char *text)
{
	struct err ignored = ERR_INIT;
	json_t *object = NULL;

	if (!text || json_parse("object", text, strlen(text), &object, &ignored) < 0)
		return json_null();
	return object;
}

int describe_volume(struct store *store, const struct volume_record *record, json_t **out,
		    struct err *err)
{
	AUTO_FREE char *path = NULL;
	char created[HUMAN_MAX];
	json_t *value;
	int r = volume_options_device(record->options, &path, err);

	if (r == 0 && !path)
		r = volume_data_path(store, record->name, &path, err);
	if (r < 0)
		return r;
	human_time(record->created_ns, created);
	value = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:I}", "Name", record->name,
			  "Driver", "local", "Mountpoint", path, "CreatedAt", created, "Scope",
			  "local", "Labels", object_value(record->labels), "Options",
			  object_value(record->options), "Anonymous", record->anonymous,
			  "Containers", (json_int_t)record->containers);
	if (!value)
		return err_sys(err, ENOMEM, "cannot describe volume %s", record->name);
	*out = value;
	return 0;
}
