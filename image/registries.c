/* SPDX-License-Identifier: Apache-2.0 */
#include "image/registries.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/json_files.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/json.h"

#define SYSTEM_DIR "/etc/cman/registries.d"

/* Docker's: the one registry whose name is not its host's, and whose official images have a
 * repository prefix that nobody writes. */
#define DOCKER "docker.io"
#define DOCKER_OLD "index.docker.io"
#define DOCKER_HOST "registry-1.docker.io"
#define DOCKER_OFFICIAL "library"

extern const char registries_builtin[], registries_builtin_end[]; /* registries_blob.S */

void registries_release(struct registries *registries)
{
	json_decref(registries->short_names);
	json_decref(registries->registries);
	cleanup_free(&registries->default_registry);
	*registries = (struct registries)REGISTRIES_INIT;
}

/* --- reading --- */

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "registries");
}

static int known_members(json_t *object, const char *const *known, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		size_t i = 0;

		(void)value;
		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i])
			return err_set(err, ERR_INVALID, EINVAL, "unknown member \"%s\"", key);
	}
	return 0;
}

/* host[:port][/path], as the beginning of a reference. */
static int check_prefix(const char *text, struct err *err)
{
	AUTO_BUF struct buf whole = BUF_INIT;
	AUTO_REF struct ref ref = REF_INIT;
	struct err ignored = ERR_INIT;

	buf_addf(&whole, "%s/x", text);
	if (buf_failed(&whole))
		return no_memory(err);
	if (ref_parse(whole.data, &ref, &ignored) < 0 || !ref.registry)
		return err_set(err, ERR_INVALID, EINVAL,
			       "\"%s\" is no registry: HOST[:PORT][/PATH], a HOST with a dot or "
			       "\"localhost\"",
			       text);
	return 0;
}

/* A reference without tag and digest, with or without a registry. */
static int check_name(const char *text, bool registry, struct err *err)
{
	AUTO_REF struct ref ref = REF_INIT;
	int r = ref_parse(text, &ref, err);

	if (r < 0)
		return r;
	if (ref.tag || ref.digest || !ref.registry == registry)
		return err_set(err, ERR_INVALID, EINVAL, "\"%s\" is no name with%s a registry%s",
			       text, registry ? "" : "out", registry ? " and without a tag" : "");
	return 0;
}

static int check_short_names(json_t *names, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach (names, name, value) {
		int r = check_name(name, false, err);

		if (r == 0 && !json_is_string(value))
			r = err_set(err, ERR_INVALID, EINVAL, "is not a string");
		if (r == 0)
			r = check_name(json_string_value(value), true, err);
		if (r < 0)
			return err_wrap(err, "short-names.%s", name);
	}
	return 0;
}

static int check_registry(json_t *entry, struct err *err)
{
	static const char *const known[] = { "mirrors", "insecure", "comment", NULL };
	json_t *mirrors = NULL, *mirror;
	bool insecure;
	size_t i;
	int r;

	if (!json_is_object(entry))
		return err_set(err, ERR_INVALID, EINVAL, "is not an object");
	r = known_members(entry, known, err);
	if (r == 0)
		r = json_get_bool(entry, "insecure", &insecure, err);
	if (r == 0)
		r = json_get_array(entry, "mirrors", &mirrors, err);
	json_array_foreach (mirrors, i, mirror) {
		if (r == 0 && !json_is_string(mirror))
			r = err_set(err, ERR_INVALID, EINVAL, "mirrors: is not a list of strings");
		if (r == 0)
			r = check_prefix(json_string_value(mirror), err);
	}
	return r;
}

static int check_registries(json_t *entries, struct err *err)
{
	const char *key;
	json_t *entry;

	json_object_foreach (entries, key, entry) {
		int r = check_prefix(key, err);

		if (r == 0)
			r = check_registry(entry, err);
		if (r < 0)
			return err_wrap(err, "registries.%s", key);
	}
	return 0;
}

/* What is there stays. */
static int merge(json_t **into, json_t *more, struct err *err)
{
	if (!more)
		return 0;
	if (!*into)
		*into = json_object();
	return json_object_update_missing(*into, more) == 0 ? 0 : no_memory(err);
}

static int add_document(struct registries *registries, json_t *document, struct err *err)
{
	static const char *const known[] = { "default", "short-names", "registries", "comment",
					     NULL };
	const char *fallback = NULL;
	json_t *names = NULL, *entries = NULL;
	int r;

	if (!json_is_object(document))
		return err_set(err, ERR_INVALID, EINVAL, "is not a JSON object");
	r = known_members(document, known, err);
	if (r == 0)
		r = json_get_string(document, "default", &fallback, err);
	if (r == 0)
		r = json_get_object(document, "short-names", &names, err);
	if (r == 0)
		r = json_get_object(document, "registries", &entries, err);
	if (r == 0 && fallback && fallback[0] != '\0') {
		r = check_prefix(fallback, err);
		if (r < 0)
			return err_wrap(err, "default");
	}
	if (r == 0)
		r = check_short_names(names, err);
	if (r == 0)
		r = check_registries(entries, err);
	if (r == 0)
		r = merge(&registries->short_names, names, err);
	if (r == 0)
		r = merge(&registries->registries, entries, err);
	if (r < 0 || !fallback || registries->default_registry)
		return r;
	registries->default_registry = strdup(fallback);
	return registries->default_registry ? 0 : no_memory(err);
}

int registries_add(struct registries *registries, const char *name, const char *text, size_t len,
		   struct err *err)
{
	AUTO_JSON json_t *document = NULL;
	int r = json_parse(name, text, len, &document, err);

	if (r < 0)
		return r;
	r = add_document(registries, document, err);
	return r < 0 ? err_wrap(err, "%s", name) : 0;
}

static int add_file(const char *path, const char *text, size_t len, void *data, struct err *err)
{
	return registries_add(data, path, text, len, err);
}

int registries_load(const char *override, struct registries *out, struct err *err)
{
	AUTO_REGISTRIES struct registries registries = REGISTRIES_INIT;
	bool own = override && override[0] != '\0';
	int r = json_files_read(own ? override : SYSTEM_DIR, !own, add_file, &registries, err);

	if (r == 0)
		r = registries_add(&registries, "built-in registries", registries_builtin,
				   (size_t)(registries_builtin_end - registries_builtin), err);
	if (r < 0)
		return r;
	*out = registries;
	registries = (struct registries)REGISTRIES_INIT;
	return 0;
}

/* --- names --- */

/* `prefix` (a registry, or more) and `repository` below it. */
static int join(const char *prefix, const char *repository, struct ref *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;

	buf_addf(&text, "%s/%s", prefix, repository);
	return buf_failed(&text) ? no_memory(err) : ref_parse(text.data, out, err);
}

static int complete_name(const struct registries *registries, const char *repository,
			 struct ref *out, struct err *err)
{
	const char *name = json_string_value(json_object_get(registries->short_names, repository));
	const char *fallback = registries->default_registry;

	if (name)
		return ref_parse(name, out, err);
	if (!fallback || fallback[0] == '\0') {
		err_set(err, ERR_INVALID, EINVAL,
			"%s: no registry is named, and there is no default one", repository);
		return err_hint(err, "write it in full: REGISTRY/%s, or see cman-registries(5)",
				repository);
	}
	return join(fallback, repository, out, err);
}

/* docker.io by its one name, and its official images by their repository. */
static int normalize_docker(struct ref *ref, struct err *err)
{
	AUTO_BUF struct buf official = BUF_INIT;
	char *repository;

	if (strcasecmp(ref->registry, DOCKER) != 0 && strcasecmp(ref->registry, DOCKER_OLD) != 0)
		return 0;
	memcpy(ref->registry, DOCKER, sizeof(DOCKER)); /* which is the shortest of them */
	if (strchr(ref->repository, '/'))
		return 0;
	buf_addf(&official, DOCKER_OFFICIAL "/%s", ref->repository);
	repository = buf_steal(&official);
	if (!repository)
		return no_memory(err);
	free(ref->repository);
	ref->repository = repository;
	return 0;
}

static int copy_text(const char *text, char **out, struct err *err)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? no_memory(err) : 0;
}

int registries_qualify(const struct registries *registries, const struct ref *ref, struct ref *out,
		       struct err *err)
{
	AUTO_REF struct ref full = REF_INIT;
	int r = ref->registry ? join(ref->registry, ref->repository, &full, err) :
				complete_name(registries, ref->repository, &full, err);

	if (r == 0)
		r = normalize_docker(&full, err);
	if (r == 0)
		r = copy_text(ref->tag || ref->digest ? ref->tag : "latest", &full.tag, err);
	if (r == 0)
		r = copy_text(ref->digest, &full.digest, err);
	if (r < 0)
		return r;
	*out = full;
	full = (struct ref)REF_INIT;
	return 0;
}

/* --- places --- */

bool registry_is_loopback(const char *host)
{
	size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	char name[16]; /* "255.255.255.255" */
	struct in_addr address;

	if (len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

void registry_places_release(struct registry_places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		free(places->places[i].registry);
		free(places->places[i].host);
		free(places->places[i].repository);
	}
	free(places->places);
	*places = (struct registry_places)REGISTRY_PLACES_INIT;
}

/* The entry whose key is the longest beginning of `ref`, in whole components. */
static json_t *find_entry(const struct registries *registries, const char *name, size_t *length)
{
	json_t *found = NULL, *entry;
	const char *key;

	*length = 0;
	json_object_foreach (registries->registries, key, entry) {
		size_t len = strlen(key);

		if (len > *length && strncmp(name, key, len) == 0 &&
		    (name[len] == '/' || name[len] == '\0')) {
			found = entry;
			*length = len;
		}
	}
	return found;
}

static int add_place(const struct registries *registries, const char *name, bool mirror,
		     struct registry_places *places, struct err *err)
{
	struct registry_place *place = &places->places[places->count];
	AUTO_REF struct ref ref = REF_INIT;
	const json_t *entry;
	size_t ignored;
	char *host;
	int r = ref_parse(name, &ref, err);

	if (r == 0)
		r = normalize_docker(&ref, err);
	if (r < 0)
		return r;
	entry = find_entry(registries, name, &ignored);
	host = strdup(strcmp(ref.registry, DOCKER) == 0 ? DOCKER_HOST : ref.registry);
	if (!host)
		return no_memory(err);
	*place = (struct registry_place){
		.host = host,
		.loopback = registry_is_loopback(host),
		.registry = STEAL_PTR(ref.registry),
		.repository = STEAL_PTR(ref.repository),
		.insecure = json_is_true(json_object_get(entry, "insecure")),
		.mirror = mirror,
	};
	places->count++;
	return 0;
}

int registries_places(const struct registries *registries, const struct ref *ref,
		      struct registry_places *out, struct err *err)
{
	AUTO_REGISTRY_PLACES struct registry_places places = REGISTRY_PLACES_INIT;
	AUTO_FREE char *name = NULL;
	json_t *mirrors, *mirror;
	size_t length, i;
	int r = ref_format_as(ref, NULL, NULL, &name, err);

	if (r < 0)
		return r;
	mirrors = json_object_get(find_entry(registries, name, &length), "mirrors");
	places.places = calloc(json_array_size(mirrors) + 1, sizeof(*places.places));
	if (!places.places)
		return no_memory(err);
	json_array_foreach (mirrors, i, mirror) {
		AUTO_BUF struct buf below = BUF_INIT;

		buf_addf(&below, "%s%s", json_string_value(mirror), name + length);
		r = buf_failed(&below) ? no_memory(err) :
					 add_place(registries, below.data, true, &places, err);
		if (r < 0)
			return r;
	}
	r = add_place(registries, name, false, &places, err);
	if (r < 0)
		return r;
	*out = places;
	places = (struct registry_places)REGISTRY_PLACES_INIT;
	return 0;
}
