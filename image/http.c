/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/http_authorize.h"
#include "image/http_failure.h"
#include "image/http_tell.h"
#include "image/url.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"

#define MAX_REDIRECTS 10
#define PEM_MAX (1u << 20)

int http_client_init(struct http_client *client, int trust_fd, struct err *err)
{
	/* libcurl would have libcrypto read openssl.cnf, which can name modules to load. */
	if (libcrypto_init() < 0)
		return err_set(err, ERR_SYS, EIO, "cannot initialise libcrypto");
	client->trust.fd = trust_fd;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		client->multi = curl_multi_init();
	return client->multi ? 0 : err_set(err, ERR_SYS, EIO, "cannot initialise libcurl");
}

/* --- what is sent where --- */

static void begin_transfer(struct http_job *job, const struct http_exchange *exchange)
{
	char origin[HTTP_ORIGIN_MAX];
	struct err err = ERR_INIT;
	int r = 0;

	http_url_origin(exchange->url, origin);
	job->transfer.tls.own = http_is_own(job, exchange->url);
	job->transfer.tls.peer = http_peers_get(&job->client->peers, origin);
	job->transfer.body_wanted = job->transfer.body >= 0 && !job->for_token;
	if (!job->transfer.tls.peer)
		r = err_sys(&err, ENOMEM, "cannot fetch");
	if (r == 0)
		r = http_transfer_begin(&job->transfer, exchange, &err);
	if (r == 0 && curl_multi_add_handle(job->client->multi, job->transfer.curl) != CURLM_OK)
		r = err_set(&err, ERR_SYS, EIO, "libcurl takes no more requests");
	if (r < 0)
		http_finish_failed(job, false, &err);
}

/*
 * This machine is reached without a proxy, as Go's programs do: a proxy would not find the same,
 * and would see what is sent without TLS only because it stays here.
 */
static const char *proxy_of(const struct http_job *job)
{
	if (http_url_is_loopback(job->url))
		return "";
	return job
		->texts[url_is(job->url, "https") ? FETCH_TEXT_HTTPS_PROXY : FETCH_TEXT_HTTP_PROXY];
}

static struct http_exchange plain_exchange(const struct http_job *job)
{
	return (struct http_exchange){
		.url = job->url,
		.accept = "",
		.content_type = "",
		.validator = "",
		.upload_offset = -1,
		.proxy = proxy_of(job),
		.no_proxy = job->texts[FETCH_TEXT_NO_PROXY],
		.connect_timeout_s = job->request.connect_timeout_s,
	};
}

static void begin_request(struct http_job *job)
{
	struct http_exchange exchange = plain_exchange(job);
	AUTO_BUF struct buf authorization = BUF_INIT;

	job->for_token = false;
	job->transfer.upload = &job->upload;
	exchange.method = (enum fetch_method)job->request.method;
	exchange.accept = job->texts[FETCH_TEXT_ACCEPT];
	exchange.content_type = job->texts[FETCH_TEXT_CONTENT_TYPE];
	exchange.offset = job->request.offset;
	exchange.validator = job->texts[FETCH_TEXT_VALIDATOR];
	exchange.upload_offset = job->request.upload_offset;
	http_authorize_request(job, &authorization);
	if (authorization.len > 0 && !buf_failed(&authorization))
		exchange.authorization = authorization.data;
	begin_transfer(job, &exchange);
}

static void repeat_request(struct http_job *job)
{
	memcpy(job->url, job->own, sizeof(job->url));
	job->redirects = 0;
	begin_request(job);
}

static void begin_token_request(struct http_job *job)
{
	struct http_exchange exchange = plain_exchange(job);
	AUTO_BUF struct buf authorization = BUF_INIT;
	struct err err = ERR_INIT;

	job->for_token = true;
	job->transfer.upload = &job->no_upload;
	exchange.accept = "application/json";
	if (job->form.len > 0) {
		exchange.method = FETCH_POST;
		exchange.form = job->form.data;
	}
	if (http_authorize_token(job, &authorization, &err) < 0) {
		http_finish_failed(job, false, &err);
		return;
	}
	if (authorization.len > 0)
		exchange.authorization = authorization.data;
	begin_transfer(job, &exchange);
}

/* --- from one transfer to the next --- */

static bool is_redirect(const struct http_job *job)
{
	const struct http_head *head = &job->transfer.head;

	return head->location[0] && job->form.len == 0 &&
	       (job->for_token || job->request.method == FETCH_GET ||
		job->request.method == FETCH_HEAD) &&
	       (head->status == 301 || head->status == 302 || head->status == 303 ||
		head->status == 307 || head->status == 308);
}

static void follow(struct http_job *job)
{
	bool secure = url_is(job->url, "https");
	char next[FETCH_URL_MAX], origin[HTTP_ORIGIN_MAX];
	struct err err = ERR_INIT;

	if (++job->redirects > MAX_REDIRECTS) {
		err_set(&err, ERR_NETWORK, ELOOP, "redirected more than %d times", MAX_REDIRECTS);
		http_finish(job, false, &err);
		return;
	}
	if (!http_url_resolve(job->url, job->transfer.head.location, next, sizeof(next)) ||
	    !http_url_origin(next, origin) || (secure && !url_is(next, "https"))) {
		err_set(&err, ERR_NETWORK, EPROTONOSUPPORT, "redirected to a URL that is not %s",
			secure ? "https://" : "http:// or https://");
		http_finish(job, false, &err);
		return;
	}
	http_transfer_end(&job->transfer, job->client->multi);
	memcpy(job->url, next, sizeof(next));
	if (job->for_token)
		begin_token_request(job);
	else
		begin_request(job);
}

/*
 * Whether http may be tried in place of https: the host speaks something, and it is not TLS; or
 * nobody is at the port that https would have where none was named.
 */
static bool falls_back(struct http_job *job, CURLcode code)
{
	char plain[FETCH_URL_MAX];
	bool has_port = false;

	if (!job->request.plain_http_fallback || job->for_token || !url_is(job->url, "https") ||
	    !http_is_own(job, job->url) ||
	    !http_url_to_plain(job->own, plain, sizeof(plain), &has_port))
		return false;
	if (!(code == CURLE_SSL_CONNECT_ERROR && job->transfer.tls.peer->no_tls) &&
	    !(code == CURLE_COULDNT_CONNECT && !has_port))
		return false;
	http_transfer_end(&job->transfer, job->client->multi);
	job->transfer.tls.peer->plain = true;
	memcpy(job->own, plain, sizeof(plain));
	http_url_origin(job->own, job->origin);
	repeat_request(job);
	return true;
}

/* The name that could not be resolved. */
static bool look_up(struct http_job *job, CURLcode code)
{
	const char *proxy = proxy_of(job);
	char url[FETCH_URL_MAX + 8], host[HTTP_ORIGIN_MAX];

	if (code == CURLE_COULDNT_RESOLVE_HOST)
		snprintf(url, sizeof(url), "%s", job->url);
	else
		snprintf(url, sizeof(url), "%s%s", strstr(proxy, "://") ? "" : "http://", proxy);
	return http_url_host(url, host) && http_lookup_start(&job->lookup, host);
}

static void failed(struct http_job *job, CURLcode code, bool transient)
{
	struct err err = ERR_INIT;

	job->untouched = job->for_token || code == CURLE_COULDNT_RESOLVE_HOST ||
			 code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT;
	http_failure(&job->transfer, code, &err);
	http_finish_failed(job, transient, &err);
}

/* The request has got an answer that is no redirect. */
static void answered(struct http_job *job)
{
	enum http_answer answer = HTTP_ANSWER_NONE;
	struct err err = ERR_INIT;

	if (job->transfer.head.status == 401)
		answer = http_answer_challenge(job, &err);
	switch (answer) {
	case HTTP_ANSWER_NONE:
		if (!job->transfer.head_told)
			http_tell_head(&job->transfer, job);
		http_finish(job, false, NULL);
		break;
	case HTTP_ANSWER_REPEAT:
		http_transfer_end(&job->transfer, job->client->multi);
		repeat_request(job);
		break;
	case HTTP_ANSWER_TOKEN:
		http_transfer_end(&job->transfer, job->client->multi);
		begin_token_request(job);
		break;
	case HTTP_ANSWER_FAILED:
		http_finish(job, false, &err);
		break;
	}
}

/* The token server has answered. */
static void got_token(struct http_job *job)
{
	struct err err = ERR_INIT;
	bool transient;

	if (http_take_token(job, &transient, &err) < 0) {
		http_finish_failed(job, transient, &err);
		return;
	}
	http_transfer_end(&job->transfer, job->client->multi);
	repeat_request(job);
}

void http_job_transferred(struct http_job *job, CURLcode code)
{
	struct http_transfer *transfer = &job->transfer;

	if (transfer->err.kind == ERR_NONE && (code == CURLE_OK || transfer->refused)) {
		if (is_redirect(job))
			follow(job);
		else if (job->for_token)
			got_token(job);
		else
			answered(job);
		return;
	}
	if (falls_back(job, code))
		return;
	if (transfer->err.kind == ERR_NONE &&
	    (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) &&
	    look_up(job, code))
		return;
	failed(job, code, http_failure_is_transient(transfer, code));
}

void http_job_looked_up(struct http_job *job)
{
	failed(job, CURLE_COULDNT_RESOLVE_HOST, http_lookup_is_transient(&job->lookup));
}

/* --- begin and end --- */

/* Take the texts apart. False: there are not so many. */
static bool take_texts(struct http_job *job, size_t len)
{
	const char *at = job->request.texts, *end = at + len;

	for (size_t i = 0; i < FETCH_NTEXTS; i++) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));

		if (!nul)
			return false;
		job->texts[i] = at;
		at = nul + 1;
	}
	job->credentials = (struct http_credentials){
		.user = job->texts[FETCH_TEXT_USER],
		.password = job->texts[FETCH_TEXT_PASSWORD],
		.identity_token = job->texts[FETCH_TEXT_IDENTITY_TOKEN],
		.registry_token = job->texts[FETCH_TEXT_REGISTRY_TOKEN],
		.scope = job->texts[FETCH_TEXT_SCOPE],
	};
	return strlen(job->texts[FETCH_TEXT_URL]) < FETCH_URL_MAX;
}

static int read_pem(int fd, const char *name, struct http_pem *pem, struct err *err)
{
	return fd < 0 ? 0 : fd_read_open_file(fd, name, PEM_MAX, &pem->data, &pem->len, err);
}

static int take_identity(struct http_job *job, const int fds[FETCH_JOB_NFDS], struct err *err)
{
	struct http_identity *identity = &job->identity;
	int r = read_pem(fds[FETCH_JOB_CACERT], "the certificates", &identity->cacert, err);

	if (r == 0)
		r = read_pem(fds[FETCH_JOB_CERT], "the client certificate", &identity->cert, err);
	if (r == 0)
		r = read_pem(fds[FETCH_JOB_KEY], "the client's key", &identity->key, err);
	identity->insecure = job->request.insecure;
	job->transfer.tls = (struct http_tls){
		.trust = &job->client->trust,
		.identity = identity,
	};
	return r;
}

static void take_upload(struct http_job *job, int fd)
{
	struct stat st;

	job->no_upload = (struct http_upload){ .fd = -1, .size = -1 };
	job->upload.fd = fd;
	job->upload.size = job->request.upload_size;
	job->upload.seeks = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (job->upload.seeks)
		job->upload.from = lseek(fd, 0, SEEK_CUR);
}

/* Where the host is known to speak no TLS, none is tried again. */
static int take_url(struct http_job *job, struct err *err)
{
	const struct http_peer *peer;
	char plain[FETCH_URL_MAX];
	bool has_port;

	snprintf(job->own, sizeof(job->own), "%s", job->texts[FETCH_TEXT_URL]);
	if (!http_url_origin(job->own, job->origin))
		return err_set(err, ERR_INVALID, EINVAL, "is not a URL of http or https");
	peer = http_peers_get(&job->client->peers, job->origin);
	if (job->request.plain_http_fallback && peer && peer->plain &&
	    http_url_to_plain(job->own, plain, sizeof(plain), &has_port)) {
		memcpy(job->own, plain, sizeof(plain));
		http_url_origin(job->own, job->origin);
	}
	return 0;
}

struct http_job *http_job_start(struct http_client *client, const struct fetch_job *request,
				size_t size, int fds[FETCH_JOB_NFDS])
{
	size_t head = offsetof(struct fetch_job, texts);
	struct http_job *job = size > head ? calloc(1, sizeof(*job)) : NULL;
	struct err err = ERR_INIT;
	int r;

	if (job)
		memcpy(&job->request, request, size);
	if (!job || fds[FETCH_JOB_EVENTS] < 0 || !take_texts(job, size - head)) {
		free(job);
		for (size_t i = 0; i < FETCH_JOB_NFDS; i++)
			cleanup_close(&fds[i]);
		return NULL;
	}
	job->client = client;
	job->lookup = (struct http_lookup)HTTP_LOOKUP_INIT;
	job->events = fds[FETCH_JOB_EVENTS];
	job->told_ns = clock_monotonic_ns();
	job->transfer.on_head = http_tell_head;
	job->transfer.data = job;
	job->transfer.body = fds[FETCH_JOB_BODY];
	if (job->transfer.body >= 0)
		fcntl(job->transfer.body, F_SETFL, O_WRONLY | O_NONBLOCK);
	take_upload(job, fds[FETCH_JOB_UPLOAD]);
	r = take_identity(job, fds, &err);
	for (size_t i = FETCH_JOB_CACERT; i < FETCH_JOB_NFDS; i++)
		cleanup_close(&fds[i]);
	if (r == 0)
		r = take_url(job, &err);
	if (r < 0)
		http_finish(job, false, &err);
	else
		repeat_request(job);
	return job;
}

void http_job_free(struct http_job *job)
{
	http_lookup_release(&job->lookup);
	http_transfer_end(&job->transfer, job->client->multi);
	cleanup_close(&job->transfer.body);
	cleanup_close(&job->upload.fd);
	cleanup_close(&job->events);
	buf_release(&job->form);
	free(job->identity.cacert.data);
	free(job->identity.cert.data);
	free(job->identity.key.data);
	free(job);
}
