/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/describe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/describe_maker.h"
#include "manager/cmd/describe_run.h"
#include "manager/cmd/human.h"
#include "manager/cmd/status.h"
#include "manager/runtime/spec.h"
#include "manager/signals.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/health.h"
#include "store/store.h"

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

/* As it is on disk, and what it says; null, and false, where it cannot be read. */
static bool read_spec(struct store *store, const char *id, json_t **document, struct spec *spec)
{
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int dir_fd = -1;
	struct err ignored = ERR_INIT;
	size_t len = 0;

	*document = json_null();
	if (container_dir_open(store, id, &dir_fd, &ignored) < 0 ||
	    fd_read_file(dir_fd, "spec.json", JSON_MAX_BYTES, &text, &len, &ignored) < 0)
		return false;
	*document = document_value("spec.json", text, len);
	return spec_parse(text, len, spec, &ignored) == 0;
}

static int add_check(const struct health_check *check, void *data, struct err *err)
{
	json_t *log = data;
	struct maker maker = { json_object(), 0 };

	maker_add(&maker, "Start", time_value(check->started_ns));
	maker_add(&maker, "End", time_value(check->finished_ns));
	maker_add(&maker, "ExitCode", json_integer(check->exit_code));
	maker_add(&maker, "Output", maker_text(check->output));
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
	maker_add(&maker, "Status", json_string(container_health_name(record->health)));
	maker_add(&maker, "FailingStreak", json_integer(record->health_failures));
	maker_add(&maker, "Log", log);
	return maker_finish(&maker);
}

static json_t *state_value(struct store *store, const struct container_record *record)
{
	struct maker maker = { json_object(), 0 };
	bool ended = record->state == CONTAINER_EXITED || record->state == CONTAINER_RESTARTING;

	maker_add(&maker, "Status", json_string(container_state_name(record->state)));
	maker_add(&maker, "Running", json_boolean(record->state == CONTAINER_RUNNING));
	maker_add(&maker, "Paused", json_boolean(record->state == CONTAINER_PAUSED));
	maker_add(&maker, "Restarting", json_boolean(record->state == CONTAINER_RESTARTING));
	maker_add(&maker, "OOMKilled", json_boolean(record->oom_killed));
	maker_add(&maker, "Pid", json_integer(status_is_live(record->state) ? record->pid : 0));
	maker_add(&maker, "ExitCode",
		  ended && record->exit_code >= 0 ? json_integer(record->exit_code) : json_null());
	maker_add(&maker, "Error", maker_text(record->error));
	maker_add(&maker, "StartedAt", time_value(record->started_ns));
	maker_add(&maker, "FinishedAt", time_value(record->finished_ns));
	maker_add(&maker, "Health", health_value(store, record));
	return maker_finish(&maker);
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

static json_t *log_path_value(const struct store *store, const char *id, const struct spec *spec)
{
	return spec->log_none ? json_null() :
				json_sprintf("%s/containers/%s/log.db", store->root, id);
}

/* What is run: the program, and what it is given. */
static void add_command(struct maker *maker, char *const *args)
{
	maker_add(maker, "Path", maker_text(args ? args[0] : NULL));
	maker_add(maker, "Args", maker_texts(args && args[0] ? args + 1 : args));
}

/* What the spec says, in Docker's words. */
static void add_spec(struct maker *maker, const struct store *store,
		     const struct container_record *record, const struct spec *spec)
{
	const char *labels = record->labels ? record->labels : "{}";

	add_command(maker, spec->process.args);
	maker_add(maker, "LogPath", log_path_value(store, record->id, spec));
	maker_add(maker, "ResolvConfPath", describe_own_file(spec, "/etc/resolv.conf"));
	maker_add(maker, "HostnamePath", describe_own_file(spec, "/etc/hostname"));
	maker_add(maker, "HostsPath", describe_own_file(spec, "/etc/hosts"));
	maker_add(maker, "Driver", spec->overlay.upper ? json_string("overlay") : json_null());
	maker_add(maker, "GraphDriver", describe_layers(spec));
	maker_add(maker, "Config",
		  describe_config(record, spec, document_value("labels", labels, strlen(labels))));
	maker_add(maker, "HostConfig", describe_host_config(record, spec));
	maker_add(maker, "NetworkSettings", describe_network(record, spec));
}

/* The same members, where the spec cannot be read. */
static void add_unknown(struct maker *maker)
{
	static const char *const keys[] = { "Path",	      "Args",		"LogPath",
					    "ResolvConfPath", "HostnamePath",	"HostsPath",
					    "Driver",	      "GraphDriver",	"Config",
					    "HostConfig",     "NetworkSettings" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		maker_add(maker, keys[i], json_null());
}

static void add_record(struct maker *maker, struct store *store,
		       const struct container_record *record)
{
	char stop_signal[SIGNAL_NAME_MAX];

	maker_add(maker, "Id", json_string(record->id));
	maker_add(maker, "Name", maker_text(record->name));
	maker_add(maker, "Created", time_value(record->created_ns));
	maker_add(maker, "Image", maker_text(record->image));
	maker_add(maker, "ImageID", digest_value(record->image_id));
	maker_add(maker, "Command",
		  document_value("command", record->command,
				 record->command ? strlen(record->command) : 0));
	maker_add(maker, "State", state_value(store, record));
	maker_add(maker, "RestartCount", json_integer(record->restart_count));
	maker_add(maker, "RestartPolicy",
		  json_pack("{s:s, s:i}", "Name", container_restart_name(record->restart),
			    "MaximumRetryCount", record->restart_max));
	maker_add(maker, "MonitorPid",
		  json_integer(status_is_live(record->state) ? record->monitor_pid : 0));
	maker_add(maker, "AutoRemove", json_boolean(record->auto_remove));
	maker_add(maker, "Tty", json_boolean(record->tty));
	maker_add(maker, "StopSignal", json_string(signal_name(record->stop_signal, stop_signal)));
	maker_add(maker, "StopTimeout", json_integer(record->stop_timeout_s));
	maker_add(maker, "Directory", json_sprintf("%s/containers/%s", store->root, record->id));
}

int describe_container(struct store *store, const struct container_record *record, json_t **out,
		       struct err *err)
{
	struct maker maker = { json_object(), 0 };
	AUTO_SPEC struct spec spec = SPEC_INIT;
	json_t *document;

	add_record(&maker, store, record);
	if (read_spec(store, record->id, &document, &spec))
		add_spec(&maker, store, record, &spec);
	else
		add_unknown(&maker);
	maker_add(&maker, "Mounts", describe_mounts(document));
	maker_add(&maker, "Spec", document);
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
		return maker_text(name->name);
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
			maker->failures += json_array_append_new(tags, maker_text(name->name)) < 0;
		if (digest && !has_text(digests, digest))
			maker->failures += json_array_append(digests, digest) < 0;
		json_decref(digest);
	}
	maker_add(maker, "RepoTags", tags);
	maker_add(maker, "RepoDigests", digests);
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
	maker_add(&maker, "Digest", digest_value(manifest->digest));
	maker_add(&maker, "MediaType", maker_text(manifest->media_type));
	maker_add(&maker, "Config",
		  manifest->nblobs > 0 ? blob_value(&manifest->blobs[0]) : json_null());
	maker_add(&maker, "Layers", layers);
	return maker_finish(&maker);
}

/* Of what an image may say about its containers, null is what it does not. */
static int add_missing(json_t *config)
{
	static const char *const keys[] = { "User",	   "ExposedPorts", "Env",
					    "Entrypoint",  "Cmd",	   "Volumes",
					    "WorkingDir",  "Labels",	   "StopSignal",
					    "Healthcheck", "Shell",	   "OnBuild" };
	int failures = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_object_get(config, keys[i]))
			failures += json_object_set_new(config, keys[i], json_null()) < 0;
	return -failures;
}

/* Docker has in its Config what image-spec's document has in `config`: both find theirs. */
static json_t *config_value(const json_t *document)
{
	json_t *config = document ? json_copy((json_t *)document) : json_null();
	json_t *inner = json_object_get(config, "config");

	if ((json_is_object(inner) && json_object_update_missing(config, inner) < 0) ||
	    (json_is_object(config) && add_missing(config) < 0)) {
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
	maker_add(&maker, "Id", digest_value(record->id));
	add_names(&maker, record);
	maker_add(&maker, "Created", time_value(record->created_ns));
	maker_add(&maker, "Os", member_value(config, "os"));
	maker_add(&maker, "Architecture", member_value(config, "architecture"));
	maker_add(&maker, "Variant", member_value(config, "variant"));
	maker_add(&maker, "Size", json_integer(record->size));
	maker_add(&maker, "Source", maker_text(record->source));
	maker_add(&maker, "SourceDigest", maker_text(record->source_digest));
	maker_add(&maker, "Manifest", manifest ? manifest_value(manifest) : json_null());
	maker_add(&maker, "Layers", layers);
	maker_add(&maker, "RootFS", json_pack("{s:s, s:O}", "Type", "layers", "Layers", layers));
	maker_add(&maker, "Config", config);
	return finish(&maker, out, err);
}
