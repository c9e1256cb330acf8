/* SPDX-License-Identifier: Apache-2.0 */
#include "image/credentials_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/base64.h"
#include "image/secret.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"

#define DOCKER "docker.io"

const char *credentials_key(const char *registry)
{
	return strcmp(registry, DOCKER) == 0 ? CREDENTIALS_DOCKER_KEY : registry;
}

static bool has_suffix(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(text + len - n, suffix, n) == 0;
}

char *credentials_key_meaning(const char *key)
{
	static const char *const docker[] = { "index.docker.io", "registry-1.docker.io" };
	const char *scheme = strstr(key, "://");
	size_t len, host;
	char *text;

	if (scheme)
		key = scheme + 3;
	len = strlen(key);
	while (len > 0 && key[len - 1] == '/')
		len--;
	host = strcspn(key, "/");
	if (scheme)
		len = host;
	else if (has_suffix(key, len, "/v1") || has_suffix(key, len, "/v2"))
		len -= 3;
	for (size_t i = 0; i < 2; i++)
		if (host == strlen(docker[i]) && strncasecmp(key, docker[i], host) == 0)
			return strdup(DOCKER);
	text = strndup(key, len);
	return text;
}

/* How much of registry/repository `key` means: 0 where it is another one's. */
static size_t fit(const char *key, const char *registry, const char *repository)
{
	AUTO_FREE char *meaning = credentials_key_meaning(key);
	size_t len, host = strlen(registry);

	if (!meaning)
		return 0;
	len = strlen(meaning);
	if (len < host || strncasecmp(meaning, registry, host) != 0)
		return 0;
	if (len == host)
		return len;
	if (meaning[host] != '/' || !repository ||
	    strncmp(meaning + host + 1, repository, len - host - 1) != 0)
		return 0;
	repository += len - host - 1;
	return *repository == '\0' || *repository == '/' ? len : 0;
}

const char *credentials_file_helper(const json_t *document, const char *registry,
				    const char *repository, bool *own)
{
	json_t *helpers = json_object_get(document, "credHelpers"), *name;
	const char *found = NULL, *key;
	size_t best = 0;

	json_object_foreach (helpers, key, name) {
		size_t len = fit(key, registry, repository);

		if (len > best && json_is_string(name)) {
			best = len;
			found = json_string_value(name);
		}
	}
	*own = found != NULL;
	if (!found)
		found = json_string_value(json_object_get(document, "credsStore"));
	return found && *found ? found : NULL;
}

/* user:password. Docker pads the password with NULs. */
static int decode_auth(const char *auth, struct credentials *out, struct err *err)
{
	AUTO_SECRET_BUF struct buf text = BUF_INIT;
	const char *colon;
	size_t user;

	if (!base64_decode(&text, auth))
		return err_set(err, ERR_INVALID, EINVAL, "auth: is not base64");
	if (buf_failed(&text))
		return err_sys(err, ENOMEM, "auth");
	colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
	if (!colon)
		return err_set(err, ERR_INVALID, EINVAL, "auth: is not of the form user:password");
	user = (size_t)(colon - text.data);
	if (strlen(text.data) < user)
		return err_set(err, ERR_INVALID, EINVAL, "auth: has a NUL byte in the user name");
	out->user = strndup(text.data, user);
	out->password = strdup(colon + 1);
	return out->user && out->password ? 0 : err_sys(err, ENOMEM, "auth");
}

static int copy_member(const json_t *entry, const char *key, char **out, struct err *err)
{
	const char *text = NULL;
	int r = json_get_string(entry, key, &text, err);

	if (r < 0 || !text || *text == '\0')
		return r;
	free(*out);
	*out = strdup(text);
	return *out ? 0 : err_sys(err, ENOMEM, "%s", key);
}

static int read_entry(const json_t *entry, struct credentials *out, struct err *err)
{
	const char *auth = NULL;
	int r;

	if (!json_is_object(entry))
		return err_set(err, ERR_INVALID, EINVAL, "is not an object");
	r = json_get_string(entry, "auth", &auth, err);
	if (r == 0 && auth && *auth)
		r = decode_auth(auth, out, err);
	if (r == 0 && !out->user) {
		r = copy_member(entry, "username", &out->user, err);
		if (r == 0)
			r = copy_member(entry, "password", &out->password, err);
	}
	if (r == 0)
		r = copy_member(entry, "identitytoken", &out->identity_token, err);
	if (r == 0)
		r = copy_member(entry, "registrytoken", &out->registry_token, err);
	return r;
}

static bool is_empty(const struct credentials *credentials)
{
	return !credentials->password && !credentials->identity_token &&
	       !credentials->registry_token;
}

int credentials_file_get(const json_t *document, const char *registry, const char *repository,
			 struct credentials *out, bool *found, struct err *err)
{
	AUTO_CREDENTIALS struct credentials best = CREDENTIALS_INIT;
	json_t *auths = NULL, *entry;
	const char *key;
	size_t longest = 0;
	int r = json_get_object(document, "auths", &auths, err);

	if (r < 0)
		return r;
	json_object_foreach (auths, key, entry) {
		AUTO_CREDENTIALS struct credentials one = CREDENTIALS_INIT;
		size_t len = fit(key, registry, repository);

		if (len <= longest)
			continue;
		r = read_entry(entry, &one, err);
		if (r < 0)
			return err_wrap(err, "auths.%s", key);
		/* An empty one is what Docker leaves where a helper has the secret. */
		if (is_empty(&one))
			continue;
		longest = len;
		credentials_release(&best);
		best = one;
		one = (struct credentials)CREDENTIALS_INIT;
	}
	*found = longest > 0;
	if (*found) {
		*out = best;
		best = (struct credentials)CREDENTIALS_INIT;
	}
	return 0;
}

size_t credentials_file_remove(json_t *document, const char *registry)
{
	json_t *auths = json_object_get(document, "auths"), *entry;
	size_t removed = 0;
	const char *key;
	void *next;

	json_object_foreach_safe (auths, next, key, entry) {
		AUTO_FREE char *meaning = credentials_key_meaning(key);

		if (registry && (!meaning || strcasecmp(meaning, registry) != 0))
			continue;
		removed += json_object_size(entry) > 0;
		json_object_del(auths, key);
	}
	return removed;
}

static json_t *make_entry(const struct credentials *credentials)
{
	AUTO_SECRET_BUF struct buf pair = BUF_INIT;
	AUTO_SECRET_BUF struct buf text = BUF_INIT;
	AUTO_JSON json_t *entry = json_object();

	if (!credentials)
		return STEAL_PTR(entry);
	buf_addf(&pair, "%s:%s", credentials->user ? credentials->user : "",
		 credentials->password ? credentials->password : "");
	if (buf_failed(&pair))
		return NULL;
	base64_encode(&text, pair.data, pair.len);
	if (buf_failed(&text) || json_object_set_new(entry, "auth", json_string(text.data)) != 0)
		return NULL;
	if (credentials->identity_token &&
	    json_object_set_new(entry, "identitytoken", json_string(credentials->identity_token)) !=
		    0)
		return NULL;
	return STEAL_PTR(entry);
}

int credentials_file_set(json_t *document, const char *registry,
			 const struct credentials *credentials, struct err *err)
{
	json_t *auths = NULL;
	int r = json_get_object(document, "auths", &auths, err);

	if (r < 0)
		return r;
	credentials_file_remove(document, registry);
	if (!auths) {
		auths = json_object();
		if (json_object_set_new(document, "auths", auths) != 0)
			return err_sys(err, ENOMEM, "auths");
	}
	if (json_object_set_new(auths, credentials_key(registry), make_entry(credentials)) != 0)
		return err_sys(err, ENOMEM, "auths");
	return 0;
}
