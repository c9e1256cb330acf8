/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/spec.h"
#include "manager/runtime/spec_take.h"
#include "store/json.h"

static int parse_mount(const json_t *json, struct spec_mount *mount, struct err *err)
{
	int result = spec_take_string(json, "destination", &mount->destination, err);

	if (result == 0)
		result = spec_take_string(json, "type", &mount->type, err);
	if (result == 0)
		result = spec_take_string(json, "source", &mount->source, err);
	if (result == 0)
		result = json_get_strv(json, "options", &mount->options, err);
	if (result < 0)
		return result;
	if (!mount->destination || mount->destination[0] != '/')
		return spec_invalid(err, "destination", "is missing or not absolute");
	/* a bind mount need not say so by its type */
	if (!mount->type)
		mount->type = strdup("bind");
	return mount->type ? 0 : spec_no_memory(err);
}

static int parse_mounts(const json_t *root, struct spec *spec, struct err *err)
{
	json_t *array;
	json_t *entry;
	size_t i;
	int result = spec_take_array(root, "mounts", sizeof(*spec->mounts), &array,
				     (void **)&spec->mounts, err);

	json_array_foreach (array, i, entry) {
		result = parse_mount(entry, &spec->mounts[spec->nmounts++], err);
		if (result < 0)
			return err_wrap(err, "mounts: entry %zu", i + 1);
	}
	return result;
}

static int parse_root(const json_t *root, struct spec *spec, struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(root, "root", &json, err);

	if (result < 0 || !json)
		return result;
	result = spec_take_string(json, "path", &spec->root_path, err);
	if (result == 0)
		result = json_get_bool(json, "readonly", &spec->root_readonly, err);
	return result < 0 ? err_wrap(err, "root") : 0;
}

/* The root is an overlay, or the directory that the specification wants named. */
static int choose_root(struct spec *spec, struct err *err)
{
	if (spec->overlay.lower) {
		free(spec->root_path);
		spec->root_path = NULL;
	} else if (!spec->root_path) {
		return spec_invalid(err, "root", "has no path");
	}
	return 0;
}

int spec_parse(const char *json, size_t len, struct spec *out, struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	AUTO_JSON json_t *root = NULL;
	int result = json_parse("config.json", json, len, &root, err);

	if (result < 0)
		return result;
	if (!json_is_object(root))
		return spec_invalid(err, "config.json", "is not a JSON object");
	result = spec_parse_process(root, &spec.process, err);
	if (result == 0)
		result = parse_root(root, &spec, err);
	if (result == 0)
		result = spec_take_string(root, "hostname", &spec.hostname, err);
	if (result == 0)
		result = spec_take_string(root, "domainname", &spec.domainname, err);
	if (result == 0)
		result = parse_mounts(root, &spec, err);
	if (result == 0)
		result = spec_parse_linux(root, &spec, err);
	if (result == 0)
		result = spec_parse_notes(root, &spec, err);
	if (result == 0)
		result = choose_root(&spec, err);
	if (result < 0)
		return result;
	*out = spec;
	spec = (struct spec)SPEC_INIT;
	return 0;
}
