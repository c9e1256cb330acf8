/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/spec_build.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/runtime/mounts.h"
#include "manager/signals.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/base/utf8.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* Digits of the ID that make a host name, as in `cman ps`. */
#define HOSTNAME_DIGITS 12

void container_options_release(struct container_options *options)
{
	strv_free(options->env);
	strv_free(options->entrypoint);
	strv_free(options->volumes_from);
	wanted_mounts_release(&options->mounts);
	limits_release(&options->limits);
	isolation_release(&options->isolation);
	*options = (struct container_options){ 0 };
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot build the container's spec");
}

static int split_options(const char *text, char ***out, struct err *err)
{
	AUTO_STRV char **v = NULL;
	AUTO_FREE char *copy = strdup(text);
	char *rest = NULL;

	if (!copy)
		return no_memory(err);
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (strv_add(&v, word) < 0)
			return no_memory(err);
	}
	*out = STEAL_PTR(v);
	return 0;
}

struct spec_mount *spec_find_mount(const struct spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->nmounts; i++)
		if (strcmp(spec->mounts[i].destination, destination) == 0)
			return &spec->mounts[i];
	return NULL;
}

int spec_add_mount(struct spec *spec, const char *destination, const char *type, const char *source,
		   const char *options, struct err *err)
{
	struct spec_mount mount = {
		.destination = strdup(destination),
		.type = strdup(type),
		.source = strdup(source),
	};
	struct spec_mount *mounts = NULL;
	int rc = split_options(options, &mount.options, err);

	if (rc == 0 && mount.destination && mount.type && mount.source)
		mounts = realloc(spec->mounts, (spec->nmounts + 1) * sizeof(*mounts));
	if (!mounts) {
		free(mount.destination);
		free(mount.type);
		free(mount.source);
		strv_free(mount.options);
		return rc < 0 ? rc : no_memory(err);
	}
	spec->mounts = mounts;
	spec->mounts[spec->nmounts++] = mount;
	return 0;
}

static size_t depth_of(const char *path)
{
	size_t depth = 0;

	for (const char *at = path; *at; at++)
		depth += at[0] == '/' && at[1] != '/' && at[1] != '\0';
	return depth;
}

/* What is mounted deeper comes later, or it would be hidden. Otherwise as given. */
static void sort_mounts(struct spec_mount *mounts, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct spec_mount mount = mounts[i];
		size_t depth = depth_of(mount.destination);
		size_t at = i;

		for (; at > 0 && depth_of(mounts[at - 1].destination) > depth; at--)
			mounts[at] = mounts[at - 1];
		mounts[at] = mount;
	}
}

static int add_mark(struct spec_mount *mount, const char *mark, const char *value, struct err *err)
{
	AUTO_FREE char *text = NULL;

	if (asprintf(&text, "%s%s", mark, value) < 0)
		text = NULL;
	return text && strv_add(&mount->options, text) == 0 ? 0 : no_memory(err);
}

static int add_mount(const struct container_mount *mount, struct spec *spec, struct err *err)
{
	const bool memory = mount->kind == MOUNT_OF_MEMORY;
	struct spec_mount *added;
	int rc = spec_add_mount(spec, mount->destination, memory ? "tmpfs" : "bind",
				memory	    ? "tmpfs" :
				mount->path ? mount->path :
					      mount->source,
				mount->options, err);

	if (rc < 0)
		return rc;
	added = &spec->mounts[spec->nmounts - 1];
	rc = add_mark(added, MOUNT_MARK_TYPE, container_mount_kind_name(mount->kind), err);
	if (rc == 0 && mount->kind == MOUNT_OF_VOLUME)
		rc = add_mark(added, MOUNT_MARK_NAME, mount->source, err);
	if (rc == 0 && mount->subpath)
		rc = add_mark(added, MOUNT_OPTION_SUBPATH, mount->subpath, err);
	if (rc == 0 && mount->shallow)
		rc = add_mark(added, MOUNT_OPTION_SHALLOW, "", err);
	return rc;
}

static int add_mounts(const struct container_options *options, struct spec *spec, struct err *err)
{
	size_t first = spec->nmounts;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < options->mounts.n; i++)
		rc = add_mount(&options->mounts.list[i], spec, err);
	sort_mounts(spec->mounts + first, spec->nmounts - first);
	return rc;
}

/* A spec is kept as JSON, whose texts are UTF-8. */
static int check_texts(char *const *texts, const char *what, struct err *err)
{
	for (char *const *at = texts; at && *at; at++) {
		if (!utf8_is_valid(*at))
			return err_set(err, ERR_INVALID, EILSEQ, "%s is not UTF-8: %s", what, *at);
	}
	return 0;
}

static int build_args(const struct image_config *config, const struct container_options *options,
		      char ***out, struct err *err)
{
	AUTO_STRV char **args = NULL;
	bool given = options->command && options->command[0];
	bool own = options->entrypoint;

	if (strv_extend(&args, own ? options->entrypoint : config->entrypoint) < 0)
		return no_memory(err);
	/* The image's Cmd are words for its own Entrypoint. */
	if ((given || !own) && strv_extend(&args, given ? options->command : config->cmd) < 0)
		return no_memory(err);
	if (strv_len(args) == 0) {
		err_set(err, ERR_INVALID, 0, "no command: none was given and the image has none");
		return err_hint(err, "name one after the image: cman run IMAGE COMMAND");
	}
	if (args[0][0] == '\0')
		return err_set(err, ERR_INVALID, 0, "the command is an empty word");
	if (check_texts(args, "a word of the command", err) < 0)
		return err_code(err);
	*out = STEAL_PTR(args);
	return 0;
}

static int build_env(const struct image_config *config, const struct container_options *options,
		     const char *hostname, char ***out, struct err *err)
{
	AUTO_STRV char **env = NULL;
	AUTO_FREE char *name = NULL;
	/* A dumb terminal is what a log is; and xterm is what every image has an entry for. */
	const char *term = options->tty ? "TERM=xterm" : "TERM=dumb";

	if (asprintf(&name, "HOSTNAME=%s", hostname) < 0)
		return no_memory(err);
	if (strv_add(&env, DEFAULT_PATH) < 0 || strv_add(&env, term) < 0)
		return no_memory(err);
	for (char *const *at = options->host_env; at && *at; at++) {
		if (strchr(*at, '=') && strv_add(&env, *at) < 0)
			return no_memory(err);
	}
	if (strv_add(&env, name) < 0 || strv_extend(&env, config->env) < 0)
		return no_memory(err);
	/* The zone that was asked for, and not what the image says. */
	if (options->isolation.etc.timezone && strv_get_env(env, "TZ") &&
	    strv_add(&env, "TZ=:/etc/localtime") < 0)
		return no_memory(err);
	/* What comes later counts. */
	if (strv_extend(&env, options->env) < 0 || strv_unique_env(env) < 0)
		return no_memory(err);
	if (check_texts(env, "an environment variable", err) < 0)
		return err_code(err);
	*out = STEAL_PTR(env);
	return 0;
}

static int build_hostname(const struct container_options *options, const char *id, char **out,
			  struct err *err)
{
	char name[HOST_NAME_MAX + 1] = "";

	const struct isolation *isolation = &options->isolation;
	bool is_host = isolation_share(isolation, SPEC_NS_UTS)->mode == SHARE_HOST ||
		       isolation_share(isolation, SPEC_NS_NETWORK)->mode == SHARE_HOST;

	if (options->hostname)
		snprintf(name, sizeof(name), "%s", options->hostname);
	else if (!is_host)
		snprintf(name, sizeof(name), "%.*s", HOSTNAME_DIGITS, id);
	else if (gethostname(name, sizeof(name)) < 0)
		return err_sys(err, errno, "cannot read the host's name");
	name[sizeof(name) - 1] = '\0';
	*out = strdup(name);
	return *out ? 0 : no_memory(err);
}

static int build_process(const struct image_config *config, const struct container_options *options,
			 struct spec *spec, struct err *err)
{
	struct spec_process *process = &spec->process;
	const char *cwd = options->workdir ? options->workdir : config->working_dir;
	const char *user = options->user ? options->user : config->user;
	int rc;

	strv_free(process->args);
	process->args = NULL;
	strv_free(process->env);
	process->env = NULL;
	free(process->cwd);
	process->cwd = strdup(cwd && *cwd ? cwd : "/");
	if (!process->cwd)
		return no_memory(err);
	if (user && *user) {
		process->user.lookup = strdup(user);
		if (!process->user.lookup)
			return no_memory(err);
	}
	process->terminal = options->tty;
	process->open_stdin = options->open_stdin;
	process->rows = options->rows;
	process->cols = options->cols;
	rc = build_args(config, options, &process->args, err);
	if (rc < 0)
		return rc;
	return build_env(config, options, spec->hostname, &process->env, err);
}

static int stop_signal(const struct image_config *config, const struct container_options *options,
		       int *out, struct err *err)
{
	int number = options->stop_signal;

	if (number == 0 && config->stop_signal && *config->stop_signal) {
		number = signal_from_name(config->stop_signal);
		if (number <= 0)
			return err_set(err, ERR_INVALID, 0,
				       "the image's StopSignal is no signal: %s",
				       config->stop_signal);
	}
	*out = number ? number : SIGTERM;
	return 0;
}

int spec_build(const struct image_config *config, const struct container_options *options,
	       const char id[CONTAINER_ID_LEN + 1], struct spec *out, struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	int rc = spec_set_defaults(&spec, err);

	if (rc == 0) {
		free(spec.hostname);
		spec.hostname = NULL;
		rc = build_hostname(options, id, &spec.hostname, err);
	}
	if (rc == 0)
		rc = build_process(config, options, &spec, err);
	if (rc == 0)
		rc = isolation_apply(&options->isolation, &spec, err);
	if (rc == 0)
		rc = add_mounts(options, &spec, err);
	if (rc == 0)
		rc = limits_apply(&options->limits, id, &spec, err);
	if (rc == 0)
		rc = stop_signal(config, options, &spec.stop_signal, err);
	if (rc == 0)
		rc = spec_build_health(config, &options->health, &spec.health, err);
	if (rc < 0)
		return rc;
	spec.root_readonly = options->read_only;
	spec.overlay.is_volatile = options->is_volatile;
	spec.init = options->init;
	spec.log_none = options->log_none;
	spec.log_max_bytes = options->log_max_bytes;
	*out = spec;
	spec = (struct spec)SPEC_INIT;
	return 0;
}
