/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/spec.h"
#include "manager/runtime/spec_names.h"
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

static int take_flag(const json_t *notes, const char *key, bool *out, struct err *err)
{
	const char *value = NULL;
	int result = json_get_string(notes, key, &value, err);

	if (result < 0 || !value)
		return result;
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return spec_invalid(err, key, "is neither \"true\" nor \"false\"");
	*out = strcmp(value, "true") == 0;
	return 0;
}

static int take_signal(const json_t *notes, int *out, struct err *err)
{
	const char *value = NULL;
	char *end;
	long number;
	int result = json_get_string(notes, SPEC_NOTE_STOP_SIGNAL, &value, err);

	if (result < 0 || !value)
		return result;
	errno = 0;
	number = strtol(value, &end, 10);
	if (errno || *end || end == value || number < 1 || number > SIGRTMAX)
		return spec_invalid(err, SPEC_NOTE_STOP_SIGNAL, "is no signal");
	*out = (int)number;
	return 0;
}

/* The layers are a JSON array in a string: an annotation is nothing else. */
static int take_lower(const json_t *notes, char ***out, struct err *err)
{
	AUTO_JSON json_t *wrapped = json_object();
	const char *text = NULL;
	json_t *array = NULL;
	int result = json_get_string(notes, SPEC_NOTE_LOWER, &text, err);

	if (result < 0 || !text)
		return result;
	result = json_parse(SPEC_NOTE_LOWER, text, strlen(text), &array, err);
	if (result < 0)
		return result;
	if (json_object_set_new(wrapped, SPEC_NOTE_LOWER, array) < 0)
		return spec_no_memory(err);
	result = json_get_strv(wrapped, SPEC_NOTE_LOWER, out, err);
	if (result == 0 && (!*out || !**out))
		return spec_invalid(err, SPEC_NOTE_LOWER, "names no layer");
	return result;
}

static int parse_notes(const json_t *root, struct spec *spec, struct err *err)
{
	json_t *notes = NULL;
	bool unconfined = false;
	int result = json_get_object(root, "annotations", &notes, err);

	spec->seccomp_default = true;
	if (result < 0 || !notes)
		return result;
	result = spec_take_string(notes, SPEC_NOTE_USER, &spec->process.user.lookup, err);
	if (result == 0)
		result = take_flag(notes, SPEC_NOTE_STDIN, &spec->process.open_stdin, err);
	if (result == 0)
		result = take_lower(notes, &spec->overlay.lower, err);
	if (result == 0)
		result = spec_take_string(notes, SPEC_NOTE_UPPER, &spec->overlay.upper, err);
	if (result == 0)
		result = spec_take_string(notes, SPEC_NOTE_WORK, &spec->overlay.work, err);
	if (result == 0)
		result = take_flag(notes, SPEC_NOTE_VOLATILE, &spec->overlay.is_volatile, err);
	if (result == 0)
		result = take_flag(notes, SPEC_NOTE_UNCONFINED, &unconfined, err);
	if (result == 0)
		result = take_flag(notes, SPEC_NOTE_INIT, &spec->init, err);
	if (result == 0)
		result = take_signal(notes, &spec->stop_signal, err);
	if (result < 0)
		return err_wrap(err, "annotations");
	spec->seccomp_default = !unconfined;
	if (spec->overlay.lower && (!spec->overlay.upper || !spec->overlay.work))
		return err_set(err, ERR_INVALID, EINVAL,
			       "annotations: %s without an upper and a work directory",
			       SPEC_NOTE_LOWER);
	return 0;
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
		result = parse_mounts(root, &spec, err);
	if (result == 0)
		result = spec_parse_linux(root, &spec, err);
	if (result == 0)
		result = parse_notes(root, &spec, err);
	if (result == 0)
		result = choose_root(&spec, err);
	if (result < 0)
		return result;
	*out = spec;
	spec = (struct spec)SPEC_INIT;
	return 0;
}
