/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "manager/runtime/spec_health.h"
#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_put.h"

/* An annotation is a string and nothing else: what is more goes into it as JSON. Takes `json`. */
static bool put_text(json_t *notes, const char *key, json_t *json)
{
	struct err ignored;
	char *text = NULL;
	bool good = json && json_print(json, false, &text, &ignored) == 0 &&
		    set_string(notes, key, text);

	free(text);
	json_decref(json);
	return good;
}

static bool put_list(json_t *notes, const char *key, char *const *v)
{
	json_t *array = v ? json_array() : NULL;

	for (; array && *v; v++)
		if (json_array_append_new(array, json_string(*v)) < 0) {
			json_decref(array);
			return false;
		}
	return !v || put_text(notes, key, array);
}

static bool put_flag(json_t *notes, const char *key, bool value)
{
	return !value || set(notes, key, json_string("true"));
}

static bool put_number(json_t *notes, const char *key, int64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)value);
	return value <= 0 || set_string(notes, key, number);
}

static bool put_secrets(json_t *notes, const struct spec *spec)
{
	json_t *array = spec->nsecrets ? json_array() : NULL;

	for (size_t i = 0; array && i < spec->nsecrets; i++) {
		const struct spec_secret *secret = &spec->secrets[i];
		json_t *entry = append_object(array);

		if (!entry || !set_string(entry, "source", secret->source) ||
		    !set_string(entry, "target", secret->target) ||
		    !set(entry, "uid", json_integer(secret->uid)) ||
		    !set(entry, "gid", json_integer(secret->gid)) ||
		    !set(entry, "mode", json_integer(secret->mode))) {
			json_decref(array);
			return false;
		}
	}
	return !spec->nsecrets || put_text(notes, SPEC_NOTE_SECRETS, array);
}

static bool put_joins(json_t *notes, const struct spec *spec)
{
	for (const struct spec_name *name = spec_namespace_names; name->name; name++) {
		const struct spec_join *join = &spec->joins[spec_namespace_index(name->value)];
		char key[64];

		snprintf(key, sizeof(key), SPEC_NOTE_JOIN "%s", name->name);
		if (!set_string(notes, key, join->container))
			return false;
	}
	return true;
}

static bool put_devices(json_t *notes, const struct spec *spec)
{
	json_t *array = json_array();
	bool any = false;

	for (size_t i = 0; array && i < spec->ndevices; i++) {
		const char *source = spec->devices[i].source;

		any |= source != NULL;
		if (json_array_append_new(array, json_string(source ? source : "")) < 0) {
			json_decref(array);
			return false;
		}
	}
	if (any || !array)
		return put_text(notes, SPEC_NOTE_DEVICES, array);
	json_decref(array);
	return true;
}

bool spec_print_notes(json_t *root, const struct spec *spec)
{
	json_t *notes = add_object(root, "annotations");

	return notes && set_pairs(notes, spec->annotations) &&
	       set_string(notes, SPEC_NOTE_USER, spec->process.user.lookup) &&
	       put_list(notes, SPEC_NOTE_GROUPS, spec->process.user.groups) &&
	       put_flag(notes, SPEC_NOTE_STDIN, spec->process.open_stdin) &&
	       put_list(notes, SPEC_NOTE_LOWER, spec->overlay.lower) &&
	       set_string(notes, SPEC_NOTE_UPPER, spec->overlay.upper) &&
	       set_string(notes, SPEC_NOTE_WORK, spec->overlay.work) &&
	       put_flag(notes, SPEC_NOTE_VOLATILE, spec->overlay.is_volatile) &&
	       put_flag(notes, SPEC_NOTE_UNCONFINED, !spec->seccomp_default && !spec->seccomp) &&
	       put_joins(notes, spec) && put_devices(notes, spec) &&
	       put_flag(notes, SPEC_NOTE_HOST_DEVICES, spec->host_devices) &&
	       put_secrets(notes, spec) && put_flag(notes, SPEC_NOTE_INIT, spec->init) &&
	       put_number(notes, SPEC_NOTE_PRESERVE_FDS, spec->preserve_fds) &&
	       put_flag(notes, SPEC_NOTE_PRIVATE_IPC, spec->private_ipc) &&
	       put_number(notes, SPEC_NOTE_STOP_SIGNAL, spec->stop_signal) &&
	       set_string(notes, SPEC_NOTE_LOG_DRIVER,
			  spec->log_none ? SPEC_LOG_DRIVER_NONE : NULL) &&
	       put_number(notes, SPEC_NOTE_LOG_MAX, spec->log_max_bytes) &&
	       (!spec->health.test ||
		put_text(notes, SPEC_NOTE_HEALTH, spec_health_print(&spec->health)));
}
