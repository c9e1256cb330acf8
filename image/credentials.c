/* SPDX-License-Identifier: Apache-2.0 */
#include "image/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "image/credentials_file.h"
#include "image/credentials_helper.h"
#include "image/secret.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/log.h"
#include "store/base/strv.h"
#include "store/json.h"

#define FILE_MAX (1u << 20)

void credentials_release(struct credentials *credentials)
{
	secret_release(&credentials->user);
	secret_release(&credentials->password);
	secret_release(&credentials->identity_token);
	secret_release(&credentials->registry_token);
	free(credentials->from);
	credentials->from = NULL;
}

void credentials_kept_release(struct credentials_kept *kept)
{
	cleanup_free(&kept->where);
	*kept = (struct credentials_kept){ 0 };
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "credentials");
}

int credentials_parse(const char *pair, struct credentials *out, struct err *err)
{
	AUTO_CREDENTIALS struct credentials credentials = CREDENTIALS_INIT;
	const char *colon = strchr(pair, ':');

	if (!colon || colon == pair || colon[1] == '\0')
		return err_set(err, ERR_USAGE, EINVAL, "--creds: not of the form USER:PASS");
	credentials.user = strndup(pair, (size_t)(colon - pair));
	credentials.password = strdup(colon + 1);
	credentials.from = strdup("--creds");
	if (!credentials.user || !credentials.password || !credentials.from)
		return no_memory(err);
	*out = credentials;
	credentials = (struct credentials)CREDENTIALS_INIT;
	return 0;
}

/* --- where --- */

/* A file that may hold credentials. One that the user names has to be readable where it is. */
struct place {
	char *path;
	bool named;
};

#define MAX_PLACES 4

struct places {
	struct place places[MAX_PLACES];
	size_t count;
};

static void places_release(struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->places[i].path);
}
#define AUTO_PLACES __attribute__((cleanup(places_release)))

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Add directory/file, where there is such a directory. */
static int add_place(struct places *places, const char *directory, const char *file, bool named,
		     struct err *err)
{
	AUTO_BUF struct buf path = BUF_INIT;
	char *text;

	if (!directory)
		return 0;
	buf_addf(&path, "%s%s", directory, file);
	text = buf_steal(&path);
	if (!text)
		return no_memory(err);
	places->places[places->count++] = (struct place){ text, named };
	return 0;
}

/* In the order in which they are read; the first is written. */
static int find_places(struct places *out, struct err *err)
{
	const char *home = variable("HOME"), *docker = variable("DOCKER_CONFIG");
	const char *runtime = variable("XDG_RUNTIME_DIR"), *config = variable("XDG_CONFIG_HOME");
	int r;

	if (variable("CMAN_AUTH_FILE"))
		return add_place(out, variable("CMAN_AUTH_FILE"), "", true, err);
	r = docker ? add_place(out, docker, "/config.json", true, err) :
		     add_place(out, home, "/.docker/config.json", false, err);
	if (r == 0)
		r = add_place(out, variable("REGISTRY_AUTH_FILE"), "", true, err);
	if (r == 0 && (runtime || geteuid() == 0))
		r = add_place(out, runtime ? runtime : "/run/containers/0",
			      runtime ? "/containers/auth.json" : "/auth.json", false, err);
	if (r == 0)
		r = config ? add_place(out, config, "/containers/auth.json", false, err) :
			     add_place(out, home, "/.config/containers/auth.json", false, err);
	return r;
}

/* *text stays NULL where there is no such file, or nothing in it, as `touch` leaves it. */
static int read_place(const struct place *place, char **text, size_t *len, struct err *err)
{
	struct err missing = ERR_INIT;
	int r = fd_read_file(AT_FDCWD, place->path, FILE_MAX, text, len, &missing);

	if (r == -ENOENT || (!place->named && (r == -EACCES || r == -ENOTDIR)))
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	if (*len == 0)
		secret_release(text);
	return 0;
}

static int parse(const char *name, const char *text, size_t len, json_t **out, struct err *err)
{
	int r = json_parse(name, text, len, out, err);

	if (r == 0 && !json_is_object(*out))
		r = err_set(err, ERR_INVALID, EINVAL, "%s: is not a JSON object", name);
	return r;
}

/* --- reading --- */

/* Nothing comes of a helper that all registries share (credsStore) and that does not work here: it
 * may be another machine's file. */
static int ask_helper(const char *helper, bool own, const char *registry, struct credentials *out,
		      bool *found, struct err *err)
{
	struct err failure = ERR_INIT;
	int r = credentials_helper_get(helper, credentials_key(registry), out, found, &failure);

	if (r == 0 && *found) {
		AUTO_BUF struct buf from = BUF_INIT;

		buf_addf(&from, "docker-credential-%s", helper);
		out->from = buf_steal(&from);
		return out->from ? 0 : no_memory(err);
	}
	if (r < 0 && own) {
		*err = failure;
		return r;
	}
	if (r < 0)
		log_warn("%s; going on without it", failure.text);
	return 0;
}

static int find_in(const char *name, const json_t *document, const char *registry,
		   const char *repository, bool helpers, struct credentials *out, bool *found,
		   struct err *err)
{
	bool own = false;
	const char *helper =
		helpers ? credentials_file_helper(document, registry, repository, &own) : NULL;
	int r = 0;

	*found = false;
	if (helper)
		r = ask_helper(helper, own, registry, out, found, err);
	if (r == 0 && !*found) {
		r = credentials_file_get(document, registry, repository, out, found, err);
		if (r == 0 && *found) {
			out->from = strdup(name);
			r = out->from ? 0 : no_memory(err);
		}
	}
	return r < 0 ? err_wrap(err, "%s", name) : 0;
}

int credentials_find_in(const char *name, const char *text, size_t len, const char *registry,
			const char *repository, bool helpers, struct credentials *out, bool *found,
			struct err *err)
{
	AUTO_JSON json_t *document = NULL;
	int r = parse(name, text, len, &document, err);

	return r < 0 ? r : find_in(name, document, registry, repository, helpers, out, found, err);
}

int credentials_find(const char *registry, const char *repository, struct credentials *out,
		     struct err *err)
{
	AUTO_PLACES struct places places = { 0 };
	bool found = false;
	int r = find_places(&places, err);

	for (size_t i = 0; r == 0 && !found && i < places.count; i++) {
		AUTO_SECRET char *text = NULL;
		size_t len = 0;

		r = read_place(&places.places[i], &text, &len, err);
		if (r == 0 && text)
			r = credentials_find_in(places.places[i].path, text, len, registry,
						repository, true, out, &found, err);
	}
	return r;
}

/* --- writing --- */

/* The file that is written, open for one writer at a time. */
struct target {
	struct place place;
	char path[PATH_MAX]; /* where a link to it leads */
	char *name;	     /* in there: its last component */
	int directory;	     /* locked */
	json_t *document;
};

static void target_release(struct target *target)
{
	free(target->place.path);
	json_release(&target->document);
	cleanup_close(&target->directory);
}
#define AUTO_TARGET __attribute__((cleanup(target_release)))

static int target_open(struct target *target, struct err *err)
{
	AUTO_PLACES struct places places = { 0 };
	AUTO_SECRET char *text = NULL;
	size_t len = 0;
	int r = find_places(&places, err);
	char *slash;

	if (r < 0)
		return r;
	if (places.count == 0 || strlen(places.places[0].path) >= sizeof(target->path)) {
		err_set(err, ERR_INVALID, ENOENT, "there is no place to keep credentials in");
		return err_hint(err, "set HOME, DOCKER_CONFIG or CMAN_AUTH_FILE");
	}
	target->place = places.places[0];
	places.places[0].path = NULL;
	/* Dotfiles are often links into a repository of them: what they lead to is replaced. */
	if (!realpath(target->place.path, target->path))
		strcpy(target->path, target->place.path);
	slash = strrchr(target->path, '/');
	target->name = slash ? slash + 1 : target->path;
	if (slash)
		*slash = '\0';
	r = fd_ensure_dir_path(slash ? (slash > target->path ? target->path : "/") : ".", 0700,
			       &target->directory, err);
	if (r == 0 && flock(target->directory, LOCK_EX) < 0)
		r = err_sys(err, errno, "cannot lock the directory of %s", target->place.path);
	if (r == 0)
		r = read_place(&target->place, &text, &len, err);
	if (r == 0 && text)
		r = parse(target->place.path, text, len, &target->document, err);
	if (r == 0 && !target->document)
		target->document = json_object();
	return r;
}

static int target_write(const struct target *target, struct err *err)
{
	AUTO_SECRET char *text = NULL;
	AUTO_SECRET_BUF struct buf file = BUF_INIT;
	int r = json_print(target->document, true, &text, err);

	if (r == 0) {
		buf_addf(&file, "%s\n", text);
		r = buf_failed(&file) ? no_memory(err) :
					fd_replace_file(target->directory, target->name, 0600,
							file.data, file.len, true, err);
	}
	return r < 0 ? err_wrap(err, "%s", target->place.path) : 0;
}

int credentials_keep(const char *registry, const struct credentials *credentials,
		     struct credentials_kept *out, struct err *err)
{
	AUTO_TARGET struct target target = { .directory = -1 };
	AUTO_CREDENTIALS_KEPT struct credentials_kept kept = { 0 };
	const char *helper;
	bool own;
	int r = target_open(&target, err);

	if (r < 0)
		return r;
	helper = credentials_file_helper(target.document, registry, NULL, &own);
	kept.in_file = !helper;
	kept.where = strdup(helper ? helper : target.place.path);
	if (!kept.where)
		return no_memory(err);
	if (helper)
		r = credentials_helper_store(helper, credentials_key(registry), credentials, err);
	if (r == 0)
		r = credentials_file_set(target.document, registry, helper ? NULL : credentials,
					 err);
	if (r == 0)
		r = target_write(&target, err);
	if (r < 0)
		return r;
	*out = kept;
	kept = (struct credentials_kept){ 0 };
	return 0;
}

static int forget_by_helper(const char *helper, const char *registry, size_t *forgotten,
			    struct err *err)
{
	AUTO_STRV char **servers = NULL;
	int r = registry ?
			(strv_add(&servers, credentials_key(registry)) < 0 ? no_memory(err) : 0) :
			credentials_helper_list(helper, &servers, err);

	for (size_t i = 0; r == 0 && servers && servers[i]; i++) {
		bool found = false;

		r = credentials_helper_erase(helper, servers[i], &found, err);
		*forgotten += found;
	}
	return r;
}

/* Of all: those that the helpers of single registries have, as well. */
static int forget_by_helpers(const json_t *document, const char *registry, size_t *forgotten,
			     struct err *err)
{
	const char *common = json_string_value(json_object_get(document, "credsStore")), *key;
	json_t *name;
	bool own;
	int r = 0;

	if (registry) {
		const char *helper = credentials_file_helper(document, registry, NULL, &own);

		return helper ? forget_by_helper(helper, registry, forgotten, err) : 0;
	}
	if (common && *common)
		r = forget_by_helper(common, NULL, forgotten, err);
	json_object_foreach (json_object_get(document, "credHelpers"), key, name)
		if (r == 0 && json_is_string(name))
			r = forget_by_helper(json_string_value(name), key, forgotten, err);
	return r;
}

int credentials_forget(const char *registry, size_t *forgotten, struct err *err)
{
	AUTO_TARGET struct target target = { .directory = -1 };
	size_t count = 0, in_file;
	int r = target_open(&target, err);

	if (r == 0)
		r = forget_by_helpers(target.document, registry, &count, err);
	if (r < 0)
		return r;
	in_file = json_object_size(json_object_get(target.document, "auths"));
	count += credentials_file_remove(target.document, registry);
	if (json_object_size(json_object_get(target.document, "auths")) != in_file)
		r = target_write(&target, err);
	if (r == 0)
		*forgotten = count;
	return r;
}
