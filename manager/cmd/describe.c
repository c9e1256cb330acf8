/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/describe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/human.h"
#include "manager/cmd/status.h"
#include "manager/runtime/spec.h"
#include "manager/runtime/spec_names.h"
#include "manager/signals.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/health.h"
#include "store/store.h"

/*
 * An object that is being made. A member that could not be added is counted, and told once at the
 * end.
 */
struct maker {
	json_t *object;
	int failures;
};

static void add(struct maker *maker, const char *key, json_t *value)
{
	maker->failures += json_object_set_new(maker->object, key, value) < 0;
}

/* Text of any bytes: jansson takes UTF-8 only, so that others are shown as \xNN. */
static json_t *text_value(const char *text)
{
	AUTO_BUF struct buf escaped = BUF_INIT;
	json_t *value;

	if (!text)
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	buf_add_escaped(&escaped, text, strlen(text));
	return buf_failed(&escaped) ? NULL : json_string(escaped.data);
}

static json_t *time_value(int64_t ns)
{
	char text[HUMAN_MAX];

	if (ns == 0)
		return json_null();
	human_time(ns, text);
	return json_string(text);
}

static json_t *digest_value(const char *hex)
{
	return hex ? json_sprintf("sha256:%s", hex) : json_null();
}

/* JSON that was kept as text; null where it is damaged, as the rest is worth showing. */
static json_t *document_value(const char *name, const char *text, size_t len)
{
	struct err ignored = ERR_INIT;
	json_t *value = NULL;

	if (!text || json_parse(name, text, len, &value, &ignored) < 0)
		return json_null();
	return value;
}

static json_t *spec_value(struct store *store, const char *id)
{
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int dir_fd = -1;
	struct err ignored = ERR_INIT;
	size_t len = 0;

	if (container_dir_open(store, id, &dir_fd, &ignored) < 0 ||
	    fd_read_file(dir_fd, "spec.json", JSON_MAX_BYTES, &text, &len, &ignored) < 0)
		return json_null();
	return document_value("spec.json", text, len);
}

static int add_check(const struct health_check *check, void *data, struct err *err)
{
	json_t *log = data;
	struct maker maker = { json_object(), 0 };

	add(&maker, "Start", time_value(check->started_ns));
	add(&maker, "End", time_value(check->finished_ns));
	add(&maker, "ExitCode", json_integer(check->exit_code));
	add(&maker, "Output", text_value(check->output));
	maker.failures += json_array_append_new(log, maker.object) < 0;
	return maker.failures > 0 ? err_sys(err, ENOMEM, "cannot describe its health") : 0;
}

/* As Docker has it; null where nobody looks. */
static json_t *health_value(struct store *store, const struct container_record *record)
{
	struct maker maker = { json_object(), 0 };
	struct err ignored = ERR_INIT;
	json_t *log = json_array();

	if (record->health == HEALTH_NONE || !log ||
	    health_check_each(store, record->id, add_check, log, &ignored) != 0) {
		json_decref(log);
		json_decref(maker.object);
		return json_null();
	}
	add(&maker, "Status", json_string(container_health_name(record->health)));
	add(&maker, "FailingStreak", json_integer(record->health_failures));
	add(&maker, "Log", log);
	if (maker.failures > 0) {
		json_decref(maker.object);
		return NULL;
	}
	return maker.object;
}

static json_t *state_value(struct store *store, const struct container_record *record)
{
	struct maker maker = { json_object(), 0 };
	bool ended = record->state == CONTAINER_EXITED || record->state == CONTAINER_RESTARTING;

	add(&maker, "Status", json_string(container_state_name(record->state)));
	add(&maker, "Running", json_boolean(record->state == CONTAINER_RUNNING));
	add(&maker, "Paused", json_boolean(record->state == CONTAINER_PAUSED));
	add(&maker, "Restarting", json_boolean(record->state == CONTAINER_RESTARTING));
	add(&maker, "OOMKilled", json_boolean(record->oom_killed));
	add(&maker, "Pid", json_integer(status_is_live(record->state) ? record->pid : 0));
	add(&maker, "ExitCode",
	    ended && record->exit_code >= 0 ? json_integer(record->exit_code) : json_null());
	add(&maker, "Error", text_value(record->error));
	add(&maker, "StartedAt", time_value(record->started_ns));
	add(&maker, "FinishedAt", time_value(record->finished_ns));
	add(&maker, "Health", health_value(store, record));
	if (maker.failures > 0) {
		json_decref(maker.object);
		return NULL;
	}
	return maker.object;
}

/* The member that `path` leads to, as "linux.resources.memory.limit"; a new reference, or null. */
static json_t *spec_member(json_t *spec, const char *path)
{
	char key[64];

	while (spec && *path) {
		size_t len = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		spec = json_object_get(spec, key);
		path += len + (path[len] == '.');
	}
	return spec ? json_incref(spec) : json_null();
}

static json_t *finish_part(struct maker *maker)
{
	if (maker->failures == 0)
		return maker->object;
	json_decref(maker->object);
	return NULL;
}

/* What Docker shows under the same names. */
static json_t *run_config_value(const struct container_record *record, json_t *spec)
{
	struct maker maker = { json_object(), 0 };
	char stop_signal[SIGNAL_NAME_MAX];
	const char *labels = record->labels ? record->labels : "{}";

	add(&maker, "Hostname", spec_member(spec, "hostname"));
	add(&maker, "Env", spec_member(spec, "process.env"));
	add(&maker, "Cmd", spec_member(spec, "process.args"));
	add(&maker, "Image", text_value(record->image));
	add(&maker, "WorkingDir", spec_member(spec, "process.cwd"));
	add(&maker, "Tty", json_boolean(record->tty));
	add(&maker, "Labels", document_value("labels", labels, strlen(labels)));
	add(&maker, "StopSignal", json_string(signal_name(record->stop_signal, stop_signal)));
	add(&maker, "StopTimeout", json_integer(record->stop_timeout_s));
	return finish_part(&maker);
}

/* The size in bytes, whatever it was given in. */
static json_t *log_config_value(const json_t *spec)
{
	const json_t *notes = json_object_get(spec, "annotations");
	const json_t *driver = json_object_get(notes, SPEC_NOTE_LOG_DRIVER);
	json_t *max_size = json_object_get(notes, SPEC_NOTE_LOG_MAX);

	return json_pack("{s:s, s:{s:O*}}", "Type",
			 driver ? json_string_value(driver) : SPEC_LOG_DRIVER, "Config", "max-size",
			 max_size);
}

static json_t *log_path_value(const struct store *store, const char *id, const json_t *spec)
{
	if (json_object_get(json_object_get(spec, "annotations"), SPEC_NOTE_LOG_DRIVER))
		return json_null();
	return json_sprintf("%s/containers/%s/log.db", store->root, id);
}

static json_t *host_config_value(const struct container_record *record, json_t *spec)
{
	static const char *const limits[][2] = {
		{ "Memory", "linux.resources.memory.limit" },
		{ "MemoryReservation", "linux.resources.memory.reservation" },
		{ "MemorySwap", "linux.resources.memory.swap" },
		{ "CpuShares", "linux.resources.cpu.shares" },
		{ "CpuPeriod", "linux.resources.cpu.period" },
		{ "CpuQuota", "linux.resources.cpu.quota" },
		{ "CpusetCpus", "linux.resources.cpu.cpus" },
		{ "CpusetMems", "linux.resources.cpu.mems" },
		{ "PidsLimit", "linux.resources.pids.limit" },
		{ "OomScoreAdj", "process.oomScoreAdj" },
		{ "ReadonlyRootfs", "root.readonly" },
		{ "CgroupPath", "linux.cgroupsPath" },
	};
	struct maker maker = { json_object(), 0 };

	add(&maker, "AutoRemove", json_boolean(record->auto_remove));
	add(&maker, "RestartPolicy",
	    json_pack("{s:s, s:i}", "Name", container_restart_name(record->restart),
		      "MaximumRetryCount", record->restart_max));
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		add(&maker, limits[i][0], spec_member(spec, limits[i][1]));
	add(&maker, "LogConfig", log_config_value(spec));
	return finish_part(&maker);
}

static int finish(struct maker *maker, json_t **out, struct err *err)
{
	if (maker->failures > 0) {
		json_decref(maker->object);
		return err_sys(err, ENOMEM, "cannot describe what was found");
	}
	*out = maker->object;
	return 0;
}

int describe_container(struct store *store, const struct container_record *record, json_t **out,
		       struct err *err)
{
	struct maker maker = { json_object(), 0 };
	json_t *spec = spec_value(store, record->id);
	char stop_signal[SIGNAL_NAME_MAX];

	add(&maker, "Id", json_string(record->id));
	add(&maker, "Name", text_value(record->name));
	add(&maker, "Created", time_value(record->created_ns));
	add(&maker, "Image", text_value(record->image));
	add(&maker, "ImageID", digest_value(record->image_id));
	add(&maker, "Command",
	    document_value("command", record->command,
			   record->command ? strlen(record->command) : 0));
	add(&maker, "State", state_value(store, record));
	add(&maker, "RestartCount", json_integer(record->restart_count));
	add(&maker, "RestartPolicy",
	    json_pack("{s:s, s:i}", "Name", container_restart_name(record->restart),
		      "MaximumRetryCount", record->restart_max));
	add(&maker, "MonitorPid",
	    json_integer(status_is_live(record->state) ? record->monitor_pid : 0));
	add(&maker, "AutoRemove", json_boolean(record->auto_remove));
	add(&maker, "Tty", json_boolean(record->tty));
	add(&maker, "StopSignal", json_string(signal_name(record->stop_signal, stop_signal)));
	add(&maker, "StopTimeout", json_integer(record->stop_timeout_s));
	add(&maker, "Directory", json_sprintf("%s/containers/%s", store->root, record->id));
	add(&maker, "LogPath", log_path_value(store, record->id, spec));
	add(&maker, "Mounts", describe_mounts(spec));
	add(&maker, "Config", run_config_value(record, spec));
	add(&maker, "HostConfig", host_config_value(record, spec));
	add(&maker, "Spec", spec);
	return finish(&maker, out, err);
}

/* --- images --- */

/* "repository@sha256:…": under which a registry has it. NULL: none is known to. */
static json_t *repo_digest(const struct image_name *name)
{
	const char *slash = strrchr(name->name, '/');
	size_t len = (size_t)(slash ? slash - name->name : 0);

	len += strcspn(name->name + len, ":@");
	if (strchr(name->name, '@'))
		return text_value(name->name);
	return name->digest ? json_sprintf("%.*s@%s", (int)len, name->name, name->digest) : NULL;
}

static bool has_text(const json_t *array, const json_t *text)
{
	const json_t *other;
	size_t i;

	json_array_foreach (array, i, other)
		if (json_equal(other, text))
			return true;
	return false;
}

/* Names by tag, and what registries call the image: as Docker tells them apart. */
static void add_names(struct maker *maker, const struct image_record *record)
{
	json_t *tags = json_array();
	json_t *digests = json_array();

	for (size_t i = 0; i < record->nnames; i++) {
		const struct image_name *name = &record->names[i];
		json_t *digest = repo_digest(name);

		if (!strchr(name->name, '@'))
			maker->failures += json_array_append_new(tags, text_value(name->name)) < 0;
		if (digest && !has_text(digests, digest))
			maker->failures += json_array_append(digests, digest) < 0;
		json_decref(digest);
	}
	add(maker, "RepoTags", tags);
	add(maker, "RepoDigests", digests);
}

/* A member of the configuration; null where it is missing. */
static json_t *member_value(const json_t *config, const char *key)
{
	json_t *member = json_object_get(config, key);

	return member ? json_incref(member) : json_null();
}

static json_t *blob_value(const struct image_blob *blob)
{
	return json_pack("{s:s, s:I, s:o}", "MediaType", blob->media_type, "Size",
			 (json_int_t)blob->size, "Digest", digest_value(blob->digest));
}

static json_t *manifest_value(const struct image_manifest *manifest)
{
	struct maker maker = { json_object(), 0 };
	json_t *layers = json_array();

	for (size_t i = 1; i < manifest->nblobs; i++)
		maker.failures +=
			json_array_append_new(layers, blob_value(&manifest->blobs[i])) < 0;
	add(&maker, "Digest", digest_value(manifest->digest));
	add(&maker, "MediaType", text_value(manifest->media_type));
	add(&maker, "Config", manifest->nblobs > 0 ? blob_value(&manifest->blobs[0]) : json_null());
	add(&maker, "Layers", layers);
	if (maker.failures > 0) {
		json_decref(maker.object);
		return NULL;
	}
	return maker.object;
}

/* Docker has in its Config what image-spec's document has in `config`: both find theirs. */
static json_t *config_value(const json_t *document)
{
	json_t *config = document ? json_copy((json_t *)document) : json_null();
	json_t *inner = json_object_get(config, "config");

	if (json_is_object(inner) && json_object_update_missing(config, inner) < 0) {
		json_decref(config);
		return NULL;
	}
	return config;
}

int describe_image(const struct image_record *record, const struct image_manifest *manifest,
		   const json_t *document, json_t **out, struct err *err)
{
	struct maker maker = { json_object(), 0 };
	json_t *layers = json_array();
	json_t *config = config_value(document);

	for (size_t i = 0; i < record->nlayers; i++)
		maker.failures +=
			json_array_append_new(layers, digest_value(record->layers[i].diff_id)) < 0;
	add(&maker, "Id", digest_value(record->id));
	add_names(&maker, record);
	add(&maker, "Created", time_value(record->created_ns));
	add(&maker, "Os", member_value(config, "os"));
	add(&maker, "Architecture", member_value(config, "architecture"));
	add(&maker, "Variant", member_value(config, "variant"));
	add(&maker, "Size", json_integer(record->size));
	add(&maker, "Source", text_value(record->source));
	add(&maker, "SourceDigest", text_value(record->source_digest));
	add(&maker, "Manifest", manifest ? manifest_value(manifest) : json_null());
	add(&maker, "Layers", layers);
	add(&maker, "RootFS", json_pack("{s:s, s:O}", "Type", "layers", "Layers", layers));
	add(&maker, "Config", config);
	return finish(&maker, out, err);
}
