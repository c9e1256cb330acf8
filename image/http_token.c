/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* libcrypto has a type of the name of one of our error kinds. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#undef ERR_STATE

#include "image/http_url.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/json.h"

#define TOKEN_MAX (16u << 10)
#define LIFETIME_DEFAULT_S 60 /* token.md: also the least that a client has to expect */
#define LIFETIME_SPARE_S 5    /* for the way of a request */

bool http_credentials_given(const struct http_credentials *credentials)
{
	return credentials->user[0] || credentials->identity_token[0] ||
	       credentials->registry_token[0];
}

/* --- what was obtained --- */

struct http_grant {
	struct http_grant *next;
	int64_t good_until_ns;
	char *key, *value;
};

static void free_grant(struct http_grant *grant)
{
	free(grant->key);
	free(grant->value);
	free(grant);
}

/* None of these can hold a newline: the parent refuses them. */
static char *make_key(const char *origin, const struct http_credentials *credentials)
{
	AUTO_BUF struct buf key = BUF_INIT;

	buf_addf(&key, "%s\n%s\n%s\n%s\n%s", origin, credentials->scope, credentials->user,
		 credentials->password, credentials->identity_token);
	return buf_steal(&key);
}

static void drop(struct http_grants *grants, const char *key)
{
	struct http_grant **at = &grants->first;

	while (*at) {
		struct http_grant *grant = *at;

		if (strcmp(grant->key, key) == 0) {
			*at = grant->next;
			free_grant(grant);
		} else {
			at = &grant->next;
		}
	}
}

const char *http_grants_find(struct http_grants *grants, const char *origin,
			     const struct http_credentials *credentials)
{
	AUTO_FREE char *key = make_key(origin, credentials);
	int64_t now = clock_monotonic_ns();

	for (struct http_grant *grant = grants->first; key && grant; grant = grant->next)
		if (strcmp(grant->key, key) == 0)
			return grant->good_until_ns > now ? grant->value : NULL;
	return NULL;
}

int http_grants_put(struct http_grants *grants, const char *origin,
		    const struct http_credentials *credentials, const char *value,
		    int64_t lifetime_s, struct err *err)
{
	struct http_grant *grant = calloc(1, sizeof(*grant));

	if (!grant)
		return err_sys(err, ENOMEM, "cannot fetch");
	grant->key = make_key(origin, credentials);
	grant->value = strdup(value);
	grant->good_until_ns = clock_monotonic_ns() + (lifetime_s - LIFETIME_SPARE_S) * NS_PER_S;
	if (!grant->key || !grant->value) {
		free_grant(grant);
		return err_sys(err, ENOMEM, "cannot fetch");
	}
	drop(grants, grant->key);
	grant->next = grants->first;
	grants->first = grant;
	return 0;
}

int http_basic(const struct http_credentials *credentials, struct buf *value, struct err *err)
{
	AUTO_BUF struct buf pair = BUF_INIT;
	AUTO_FREE char *encoded = NULL;

	buf_addf(&pair, "%s:%s", credentials->user, credentials->password);
	encoded = malloc(4 * ((pair.len + 2) / 3) + 1);
	if (buf_failed(&pair) || !encoded)
		return err_sys(err, ENOMEM, "cannot fetch");
	EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)pair.data, (int)pair.len);
	buf_addf(value, "Basic %s", encoded);
	return buf_failed(value) ? err_sys(err, ENOMEM, "cannot fetch") : 0;
}

/* --- the token server --- */

static bool add_parameter(struct buf *to, const char *name, const char *text, size_t len)
{
	AUTO_FREE char *raw = strndup(text, len);
	AUTO_FREE char *encoded = malloc(3 * len + 1);

	if (!raw || !encoded || !http_url_encode(raw, encoded, 3 * len + 1))
		return false;
	if (to->len > 0)
		buf_addch(to, '&');
	buf_addf(to, "%s=%s", name, encoded);
	return true;
}

/* Each word of `words` that is not one of `but`; as one parameter or, with `all`, many. */
static bool add_scopes(struct buf *to, const char *words, const char *but)
{
	while (*words) {
		size_t len = strcspn(words, " ");
		const char *there = but;
		bool known = false;

		while (there && *there && !known) {
			size_t other = strcspn(there, " ");

			known = other == len && memcmp(there, words, len) == 0;
			there += other + strspn(there + other, " ");
		}
		if (len > 0 && !known && !add_parameter(to, "scope", words, len))
			return false;
		words += len + strspn(words + len, " ");
	}
	return true;
}

/* oauth.md has all scopes in one parameter, token.md one parameter for each. */
static bool add_form_scope(struct buf *form, const char *wanted, const char *asked)
{
	const char *scope = wanted[0] ? wanted : asked;

	return scope[0] == '\0' || add_parameter(form, "scope", scope, strlen(scope));
}

static int post_request(const struct challenge *challenge,
			const struct http_credentials *credentials, struct buf *form,
			struct err *err)
{
	const char *token = credentials->identity_token;

	buf_addstr(form, "grant_type=refresh_token&client_id=cman");
	if (!add_parameter(form, "service", challenge->service, strlen(challenge->service)) ||
	    !add_form_scope(form, credentials->scope, challenge->scope) ||
	    !add_parameter(form, "refresh_token", token, strlen(token)) || buf_failed(form))
		return err_sys(err, ENOMEM, "cannot ask for a token");
	return 0;
}

int http_token_request(const struct challenge *challenge,
		       const struct http_credentials *credentials, char url[FETCH_URL_MAX],
		       struct buf *form, struct err *err)
{
	AUTO_BUF struct buf query = BUF_INIT;
	AUTO_BUF struct buf text = BUF_INIT;
	const char *realm = challenge->realm, *service = challenge->service;
	bool ok = true;

	if (credentials->identity_token[0]) {
		memcpy(url, realm, strlen(realm) + 1);
		return post_request(challenge, credentials, form, err);
	}
	if (service[0])
		ok = add_parameter(&query, "service", service, strlen(service));
	ok = ok && add_scopes(&query, credentials->scope, NULL) &&
	     add_scopes(&query, challenge->scope, credentials->scope);
	if (ok && credentials->user[0])
		ok = add_parameter(&query, "account", credentials->user, strlen(credentials->user));
	buf_addf(&text, "%s%s%s", realm,
		 query.len == 0	    ? "" :
		 strchr(realm, '?') ? "&" :
				      "?",
		 query.len == 0 ? "" : query.data);
	if (!ok || buf_failed(&query) || buf_failed(&text))
		return err_sys(err, ENOMEM, "cannot ask for a token");
	if (text.len >= FETCH_URL_MAX)
		return err_set(err, ERR_NETWORK, ENAMETOOLONG,
			       "the token server's address is too long");
	memcpy(url, text.data, text.len + 1);
	return 0;
}

/* RFC 6750: what can stand in a header. */
static bool is_token(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0 && len <= TOKEN_MAX;
}

int http_token_answer(const char *json, size_t len, struct buf *value, int64_t *lifetime_s,
		      struct err *err)
{
	AUTO_JSON json_t *root = NULL;
	const char *token = NULL;
	int64_t lifetime = LIFETIME_DEFAULT_S;
	struct err ignored = ERR_INIT;
	int r;

	/* What the parser would cite could be the token. */
	if (json_parse("answer", json, len, &root, &ignored) < 0)
		return err_set(err, ERR_INVALID, EPROTO, "the token server's answer is not JSON");
	r = json_get_string(root, "token", &token, err);
	if (r == 0 && (!token || !token[0]))
		r = json_get_string(root, "access_token", &token, err);
	if (r == 0)
		r = json_get_int(root, "expires_in", &lifetime, err);
	if (r < 0)
		return r;
	if (!token || !is_token(token))
		return err_set(err, ERR_INVALID, EPROTO, "the token server gave no token");
	buf_addf(value, "Bearer %s", token);
	if (buf_failed(value))
		return err_sys(err, ENOMEM, "cannot fetch");
	*lifetime_s = lifetime < LIFETIME_DEFAULT_S ? LIFETIME_DEFAULT_S :
		      lifetime > INT32_MAX	    ? INT32_MAX :
						      lifetime;
	return 0;
}
