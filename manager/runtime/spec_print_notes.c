/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "manager/runtime/spec_health.h"
#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_put.h"
#include "store/json_write.h"

/* An annotation is a string and nothing else: what is more goes into it as JSON. */
static void put_json(struct buf *out, const char *key, const struct buf *json)
{
	if (buf_failed(json))
		buf_fail(out);
	else
		json_add_text(out, key, json->data, json->len);
}

static void put_list(struct buf *out, const char *key, char *const *v)
{
	AUTO_BUF struct buf json = BUF_INIT;

	if (!v)
		return;
	json_add_strv(&json, NULL, v);
	put_json(out, key, &json);
}

static void put_flag(struct buf *out, const char *key, bool value)
{
	if (value)
		json_add_string(out, key, "true");
}

static void put_number(struct buf *out, const char *key, int64_t value)
{
	char number[24];

	if (value <= 0)
		return;
	snprintf(number, sizeof(number), "%lld", (long long)value);
	json_add_string(out, key, number);
}

static void put_secrets(struct buf *out, const struct spec *spec)
{
	AUTO_BUF struct buf json = BUF_INIT;

	if (!spec->nsecrets)
		return;
	json_begin_array(&json, NULL);
	for (size_t i = 0; i < spec->nsecrets; i++) {
		const struct spec_secret *secret = &spec->secrets[i];

		json_begin_object(&json, NULL);
		json_add_string(&json, "source", secret->source);
		json_add_string(&json, "target", secret->target);
		json_add_int(&json, "uid", secret->uid);
		json_add_int(&json, "gid", secret->gid);
		json_add_int(&json, "mode", secret->mode);
		json_end_object(&json);
	}
	json_end_array(&json);
	put_json(out, SPEC_NOTE_SECRETS, &json);
}

static void put_joins(struct buf *out, const struct spec *spec)
{
	for (const struct spec_name *name = spec_namespace_names; name->name; name++) {
		const struct spec_join *join = &spec->joins[spec_namespace_index(name->value)];
		char key[64];

		if (!join->container)
			continue;
		snprintf(key, sizeof(key), SPEC_NOTE_JOIN "%s", name->name);
		json_add_string(out, key, join->container);
	}
}

static bool has_source(const struct spec *spec)
{
	for (size_t i = 0; i < spec->ndevices; i++)
		if (spec->devices[i].source)
			return true;
	return false;
}

static void put_devices(struct buf *out, const struct spec *spec)
{
	AUTO_BUF struct buf json = BUF_INIT;

	if (!has_source(spec))
		return;
	json_begin_array(&json, NULL);
	for (size_t i = 0; i < spec->ndevices; i++) {
		const char *source = spec->devices[i].source;

		json_add_string(&json, NULL, source ? source : "");
	}
	json_end_array(&json);
	put_json(out, SPEC_NOTE_DEVICES, &json);
}

static void put_health(struct buf *out, const struct spec_health *health)
{
	AUTO_BUF struct buf json = BUF_INIT;

	if (!health->test)
		return;
	spec_health_print(&json, health);
	put_json(out, SPEC_NOTE_HEALTH, &json);
}

void spec_print_notes(struct buf *out, const struct spec *spec)
{
	json_begin_object(out, "annotations");
	spec_print_pairs(out, spec->annotations);
	json_add_string(out, SPEC_NOTE_USER, spec->process.user.lookup);
	put_list(out, SPEC_NOTE_GROUPS, spec->process.user.groups);
	put_flag(out, SPEC_NOTE_STDIN, spec->process.open_stdin);
	put_list(out, SPEC_NOTE_LOWER, spec->overlay.lower);
	json_add_string(out, SPEC_NOTE_UPPER, spec->overlay.upper);
	json_add_string(out, SPEC_NOTE_WORK, spec->overlay.work);
	put_flag(out, SPEC_NOTE_VOLATILE, spec->overlay.is_volatile);
	put_flag(out, SPEC_NOTE_UNCONFINED, !spec->seccomp_default && !spec->seccomp);
	put_joins(out, spec);
	put_devices(out, spec);
	put_flag(out, SPEC_NOTE_HOST_DEVICES, spec->host_devices);
	put_secrets(out, spec);
	put_flag(out, SPEC_NOTE_INIT, spec->init);
	put_number(out, SPEC_NOTE_PRESERVE_FDS, spec->preserve_fds);
	put_flag(out, SPEC_NOTE_PRIVATE_IPC, spec->private_ipc);
	put_number(out, SPEC_NOTE_STOP_SIGNAL, spec->stop_signal);
	json_add_string(out, SPEC_NOTE_LOG_DRIVER, spec->log_none ? SPEC_LOG_DRIVER_NONE : NULL);
	put_number(out, SPEC_NOTE_LOG_MAX, spec->log_max_bytes);
	put_health(out, &spec->health);
	json_end_object(out);
}
