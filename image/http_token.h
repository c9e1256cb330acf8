/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_TOKEN_H
#define CMAN_IMAGE_HTTP_TOKEN_H

/*
 * How a registry's challenge is answered: Basic (RFC 7617), and the token protocol of the
 * distribution project (its docs/spec/auth: token.md by GET, oauth.md by POST with a refresh
 * token). What was obtained is kept for the life of the stage, for the host, scope and
 * credentials it was obtained for and no other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/challenge.h"
#include "image/fetch.h"
#include "store/base/buf.h"
#include "store/base/err.h"

/* "": not given. */
struct http_credentials {
	const char *user, *password;
	const char *identity_token;
	const char *registry_token;
	const char *scope;
};

/* What the user gave; for the texts of errors. */
bool http_credentials_given(const struct http_credentials *credentials);

struct http_grant;
struct http_grants {
	struct http_grant *first;
};

/*
 * The value of Authorization for a request to `origin` (image/http_url.h), or NULL: nothing is
 * known yet. Good until the next call of http_grants_put().
 */
const char *http_grants_find(struct http_grants *grants, const char *origin,
			     const struct http_credentials *credentials);

/* Keep `value` for so long, in place of what there was. */
int http_grants_put(struct http_grants *grants, const char *origin,
		    const struct http_credentials *credentials, const char *value,
		    int64_t lifetime_s, struct err *err);

/* "Basic …" of user and password. */
int http_basic(const struct http_credentials *credentials, struct buf *value, struct err *err);

/* What to ask the token server: `url`, and for POST the form (else it is left empty). */
int http_token_request(const struct challenge *challenge,
		       const struct http_credentials *credentials, char url[FETCH_URL_MAX],
		       struct buf *form, struct err *err);

/* What it answered: "Bearer …" and for how long that is good. ERR_INVALID. */
int http_token_answer(const char *json, size_t len, struct buf *value, int64_t *lifetime_s,
		      struct err *err);

#endif
