/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/spec_health.h"
#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_take.h"
#include "store/base/begins.h"
#include "store/base/strv.h"

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

static int take_number(const json_t *notes, const char *key, const char *what, int64_t max,
		       int64_t *out, struct err *err)
{
	const char *value = NULL;
	char *end;
	long long number;
	int result = json_get_string(notes, key, &value, err);

	if (result < 0 || !value)
		return result;
	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno || *end || end == value || number < 1 || number > max)
		return spec_invalid(err, key, what);
	*out = number;
	return 0;
}

/* What is more than a string is in it as JSON. The array is that of an object, or NULL. */
static int take_text(const json_t *notes, const char *key, json_t **wrapped, struct err *err)
{
	const char *text = NULL;
	json_t *array = NULL;
	int result = json_get_string(notes, key, &text, err);

	if (result < 0 || !text)
		return result;
	result = json_parse(key, text, strlen(text), &array, err);
	if (result < 0)
		return result;
	*wrapped = json_object();
	if (json_object_set_new(*wrapped, key, array) < 0)
		return spec_no_memory(err);
	return 0;
}

static int take_list(const json_t *notes, const char *key, const char *empty, char ***out,
		     struct err *err)
{
	AUTO_JSON json_t *wrapped = NULL;
	int result = take_text(notes, key, &wrapped, err);

	if (result < 0 || !wrapped)
		return result;
	result = json_get_strv(wrapped, key, out, err);
	if (result == 0 && (!*out || !**out))
		return spec_invalid(err, key, empty);
	return result;
}

static int take_secret(const json_t *json, struct spec_secret *secret, struct err *err)
{
	int result = spec_take_string(json, "source", &secret->source, err);

	if (result == 0)
		result = spec_take_string(json, "target", &secret->target, err);
	if (result == 0)
		result = spec_take_id(json, "uid", &secret->uid, err);
	if (result == 0)
		result = spec_take_id(json, "gid", &secret->gid, err);
	if (result == 0)
		result = spec_take_mode(json, "mode", &secret->mode, err);
	if (result == 0 && (!secret->source || !secret->target || secret->target[0] != '/'))
		return spec_invalid(err, "target", "is not absolute, or has no source");
	return result;
}

static int take_secrets(const json_t *notes, struct spec *spec, struct err *err)
{
	AUTO_JSON json_t *wrapped = NULL;
	json_t *array;
	json_t *entry;
	size_t i;
	int result = take_text(notes, SPEC_NOTE_SECRETS, &wrapped, err);

	if (result < 0 || !wrapped)
		return result;
	result = spec_take_array(wrapped, SPEC_NOTE_SECRETS, sizeof(*spec->secrets), &array,
				 (void **)&spec->secrets, err);
	json_array_foreach (array, i, entry) {
		result = take_secret(entry, &spec->secrets[spec->nsecrets++], err);
		if (result < 0)
			return err_wrap(err, SPEC_NOTE_SECRETS ": entry %zu", i + 1);
	}
	return result;
}

static int take_joins(const json_t *notes, struct spec *spec, struct err *err)
{
	int result = 0;

	for (const struct spec_name *name = spec_namespace_names; name->name && result == 0;
	     name++) {
		char key[64];

		snprintf(key, sizeof(key), SPEC_NOTE_JOIN "%s", name->name);
		result = spec_take_string(
			notes, key, &spec->joins[spec_namespace_index(name->value)].container, err);
	}
	return result;
}

/* What is not cman's own is kept as it is. */
static int take_others(json_t *notes, struct spec *spec, struct err *err)
{
	AUTO_STRV char **pairs = NULL;
	int result = spec_take_pairs(notes, &pairs, err);

	for (char **pair = pairs; result == 0 && pair && *pair; pair++)
		if (!begins_with(*pair, SPEC_NOTE_PREFIX) &&
		    strv_add(&spec->annotations, *pair) < 0)
			result = spec_no_memory(err);
	return result;
}

static int take_devices(const json_t *notes, struct spec *spec, struct err *err)
{
	AUTO_STRV char **sources = NULL;
	int result = take_list(notes, SPEC_NOTE_DEVICES, "names no device", &sources, err);

	if (result < 0 || !sources)
		return result;
	if (strv_len(sources) != spec->ndevices)
		return spec_invalid(err, SPEC_NOTE_DEVICES, "is not as long as linux.devices");
	for (size_t i = 0; i < spec->ndevices; i++) {
		if (!*sources[i])
			continue;
		spec->devices[i].source = strdup(sources[i]);
		if (!spec->devices[i].source)
			return spec_no_memory(err);
	}
	return 0;
}

static int take_confinement(const json_t *notes, struct spec *spec, struct err *err)
{
	bool unconfined = false;
	int result = take_flag(notes, SPEC_NOTE_UNCONFINED, &unconfined, err);

	if (result == 0)
		result = take_joins(notes, spec, err);
	if (result == 0)
		result = take_flag(notes, SPEC_NOTE_PRIVATE_IPC, &spec->private_ipc, err);
	if (result == 0)
		result = take_devices(notes, spec, err);
	if (result == 0)
		result = take_flag(notes, SPEC_NOTE_HOST_DEVICES, &spec->host_devices, err);
	if (result == 0)
		result = take_secrets(notes, spec, err);
	spec->seccomp_default = !unconfined && !spec->seccomp;
	return result;
}

static int take_overlay(const json_t *notes, struct spec_overlay *overlay, struct err *err)
{
	int result = take_list(notes, SPEC_NOTE_LOWER, "names no layer", &overlay->lower, err);

	if (result == 0)
		result = spec_take_string(notes, SPEC_NOTE_UPPER, &overlay->upper, err);
	if (result == 0)
		result = spec_take_string(notes, SPEC_NOTE_WORK, &overlay->work, err);
	if (result == 0)
		result = take_flag(notes, SPEC_NOTE_VOLATILE, &overlay->is_volatile, err);
	if (result == 0 && overlay->lower && (!overlay->upper || !overlay->work))
		return err_set(err, ERR_INVALID, EINVAL, "%s without an upper and a work directory",
			       SPEC_NOTE_LOWER);
	return result;
}

static int take_health(const json_t *notes, struct spec_health *out, struct err *err)
{
	AUTO_JSON json_t *wrapped = NULL;
	json_t *health = NULL;
	int result = take_text(notes, SPEC_NOTE_HEALTH, &wrapped, err);

	if (result == 0 && wrapped)
		result = json_get_object(wrapped, SPEC_NOTE_HEALTH, &health, err);
	if (result < 0 || !health)
		return result;
	result = spec_health_read(health, out, err);
	return result < 0 ? err_wrap(err, SPEC_NOTE_HEALTH) : 0;
}

static int take_log(const json_t *notes, struct spec *spec, struct err *err)
{
	const char *driver = NULL;
	int result = json_get_string(notes, SPEC_NOTE_LOG_DRIVER, &driver, err);

	if (result < 0)
		return result;
	if (driver && strcmp(driver, SPEC_LOG_DRIVER_NONE) != 0)
		return spec_invalid(err, SPEC_NOTE_LOG_DRIVER,
				    "is not \"" SPEC_LOG_DRIVER_NONE "\"");
	spec->log_none = driver != NULL;
	return take_number(notes, SPEC_NOTE_LOG_MAX, "is no size of a log", SPEC_LOG_MOST,
			   &spec->log_max_bytes, err);
}

int spec_parse_notes(const json_t *root, struct spec *spec, struct err *err)
{
	int64_t signal = 0, preserved = 0;
	json_t *notes = NULL;
	int result = json_get_object(root, "annotations", &notes, err);

	spec->seccomp_default = !spec->seccomp;
	if (result < 0 || !notes)
		return result;
	result = spec_take_string(notes, SPEC_NOTE_USER, &spec->process.user.lookup, err);
	if (result == 0)
		result = take_list(notes, SPEC_NOTE_GROUPS, "names no group",
				   &spec->process.user.groups, err);
	if (result == 0)
		result = take_flag(notes, SPEC_NOTE_STDIN, &spec->process.open_stdin, err);
	if (result == 0)
		result = take_overlay(notes, &spec->overlay, err);
	if (result == 0)
		result = take_confinement(notes, spec, err);
	if (result == 0)
		result = take_flag(notes, SPEC_NOTE_INIT, &spec->init, err);
	if (result == 0)
		result = take_number(notes, SPEC_NOTE_STOP_SIGNAL, "is no signal", SIGRTMAX,
				     &signal, err);
	if (result == 0)
		result = take_number(notes, SPEC_NOTE_PRESERVE_FDS, "is no number of descriptors",
				     SPEC_PRESERVE_MAX, &preserved, err);
	if (result == 0)
		result = take_log(notes, spec, err);
	if (result == 0)
		result = take_health(notes, &spec->health, err);
	if (result == 0)
		result = take_others(notes, spec, err);
	spec->stop_signal = (int)signal;
	spec->preserve_fds = (unsigned)preserved;
	return result < 0 ? err_wrap(err, "annotations") : 0;
}
