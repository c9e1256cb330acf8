/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_authorize.h"

#include <errno.h>
#include <string.h>

#include "image/http_failure.h"
#include "image/url.h"

bool http_is_own(const struct http_job *job, const char *url)
{
	char origin[HTTP_ORIGIN_MAX];

	return http_url_origin(url, origin) && strcmp(origin, job->origin) == 0;
}

/*
 * Secrets go over TLS, or stay on this machine; or they go to the host that somebody wrote down as
 * insecure.
 */
static bool may_send_secrets(const struct http_job *job, const char *url)
{
	char host[HTTP_ORIGIN_MAX], own[HTTP_ORIGIN_MAX];

	if (url_is(url, "https") || http_url_is_loopback(url))
		return true;
	return job->request.plain_http_fallback && http_url_host(url, host) &&
	       http_url_host(job->own, own) && strcmp(host, own) == 0;
}

void http_authorize_request(struct http_job *job, struct buf *value)
{
	const char *known = NULL;

	if (!http_is_own(job, job->url) || !may_send_secrets(job, job->url))
		return;
	if (job->credentials.registry_token[0])
		buf_addf(value, "Bearer %s", job->credentials.registry_token);
	else
		known = http_grants_find(&job->client->grants, job->origin, &job->credentials);
	if (known)
		buf_addstr(value, known);
}

static int prepare_token(struct http_job *job, struct err *err)
{
	struct challenge *challenge = &job->challenge;
	char origin[HTTP_ORIGIN_MAX];

	if (!http_url_origin(challenge->realm, origin))
		return err_set(err, ERR_NETWORK, EPROTO,
			       "access is denied: the server names '%s' for a token server",
			       challenge->realm);
	if (!may_send_secrets(job, challenge->realm) &&
	    (url_is(job->own, "https") || http_credentials_given(&job->credentials)))
		return err_set(err, ERR_NETWORK, EACCES,
			       "access is denied: the token server %s would be spoken to without "
			       "TLS",
			       origin);
	buf_reset(&job->form);
	return http_token_request(challenge, &job->credentials, job->url, &job->form, err);
}

static int prepare_basic(struct http_job *job, struct err *err)
{
	AUTO_BUF struct buf value = BUF_INIT;
	int r;

	if (!may_send_secrets(job, job->own))
		return err_set(err, ERR_NETWORK, EACCES,
			       "access is denied: no password is sent without TLS");
	r = http_basic(&job->credentials, &value, err);
	return r < 0 ? r :
		       http_grants_put(&job->client->grants, job->origin, &job->credentials,
				       value.data, INT32_MAX, err);
}

enum http_answer http_answer_challenge(struct http_job *job, struct err *err)
{
	struct challenge *challenge = &job->challenge;
	const char *text = job->transfer.head.challenge;
	int r;

	challenge_parse(text, strlen(text), challenge);
	if (job->answered || job->credentials.registry_token[0] || !http_is_own(job, job->url) ||
	    !(challenge->bearer || (challenge->basic && job->credentials.user[0])))
		return HTTP_ANSWER_NONE;
	/* What came through a pipe cannot be sent again. */
	if (job->upload.fd >= 0 && !job->upload.seeks && job->upload.sent > 0)
		return HTTP_ANSWER_NONE;
	job->answered = true;
	r = challenge->bearer ? prepare_token(job, err) : prepare_basic(job, err);
	if (r < 0)
		return HTTP_ANSWER_FAILED;
	return challenge->bearer ? HTTP_ANSWER_TOKEN : HTTP_ANSWER_REPEAT;
}

int http_authorize_token(const struct http_job *job, struct buf *value, struct err *err)
{
	char realm[HTTP_ORIGIN_MAX], origin[HTTP_ORIGIN_MAX];

	/* With a refresh token it is in the form; and no redirect of the realm gets a password. */
	if (job->form.len > 0 || !job->credentials.user[0] ||
	    !http_url_origin(job->challenge.realm, realm) || !http_url_origin(job->url, origin) ||
	    strcmp(realm, origin) != 0)
		return 0;
	return http_basic(&job->credentials, value, err);
}

static bool is_transient_status(int status)
{
	return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
	       status == 503 || status == 504;
}

static int no_token(struct http_job *job, bool *transient, struct err *err)
{
	const struct http_transfer *transfer = &job->transfer;
	int status = transfer->head.status;
	bool denied = status == 401 || status == 403;
	char message[256];

	http_failure_text(transfer->text.data ? transfer->text.data : "", transfer->text.len,
			  message, sizeof(message));
	*transient = is_transient_status(status);
	job->untouched = true;
	return err_set(err, ERR_NETWORK, denied ? EACCES : EPROTO, "%s%s%s (HTTP status %d)",
		       denied ? "access is denied" : "it gives no token", message[0] ? ": " : "",
		       message, status);
}

int http_take_token(struct http_job *job, bool *transient, struct err *err)
{
	const struct buf *text = &job->transfer.text;
	AUTO_BUF struct buf value = BUF_INIT;
	int64_t lifetime = 0;
	int r;

	*transient = false;
	if (job->transfer.head.status != 200)
		return no_token(job, transient, err);
	r = http_token_answer(text->data ? text->data : "", text->len, &value, &lifetime, err);
	return r < 0 ? r :
		       http_grants_put(&job->client->grants, job->origin, &job->credentials,
				       value.data, lifetime, err);
}
