/* SPDX-License-Identifier: Apache-2.0 */
#include "image/fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/seqpacket.h"

#define PIPE_SIZE (1 << 20) /* what an ordinary user may ask for; less is fine */

void fetcher_release(struct fetcher *fetcher)
{
	/* This order: the stage looks at the events first. */
	cleanup_close(&fetcher->events);
	cleanup_close(&fetcher->body);
}

static const char *first_set(const char *const *names)
{
	for (; *names; names++) {
		const char *value = getenv(*names);

		if (value && value[0] != '\0')
			return value;
	}
	return NULL;
}

/*
 * curl's own rule: http_proxy only in lower case, because CGI programs get HTTP_PROXY from
 * clients.
 */
static const char *const http_proxy[] = { "http_proxy", "all_proxy", "ALL_PROXY", NULL };
static const char *const https_proxy[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
					   NULL };
static const char *const no_proxy[] = { "no_proxy", "NO_PROXY", NULL };

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			return true;
	return false;
}

static int add_text(struct fetch_job *job, size_t *len, const char *name, const char *text,
		    struct err *err)
{
	size_t size;

	if (!text)
		text = "";
	size = strlen(text) + 1;
	/* They become lines of headers. */
	if (has_control(text))
		return err_set(err, ERR_INVALID, EINVAL, "%s has a control character in it", name);
	if (size > sizeof(job->texts) - *len)
		return err_set(err, ERR_INVALID, ENAMETOOLONG, "%s is too long", name);
	memcpy(job->texts + *len, text, size);
	*len += size;
	return 0;
}

static int add_texts(struct fetch_job *job, size_t *len, const struct fetch_request *request,
		     const char *validator, struct err *err)
{
	const struct fetch_auth *auth = &request->auth;
	/* in the order of enum fetch_job_text */
	const struct {
		const char *name, *text;
	} texts[FETCH_NTEXTS] = {
		[FETCH_TEXT_URL] = { "the URL", request->url },
		[FETCH_TEXT_ACCEPT] = { "the list of media types", request->accept },
		[FETCH_TEXT_CONTENT_TYPE] = { "the media type", request->content_type },
		[FETCH_TEXT_VALIDATOR] = { "the kept validator", validator },
		[FETCH_TEXT_HTTP_PROXY] = { "http_proxy in the environment",
					    first_set(http_proxy) },
		[FETCH_TEXT_HTTPS_PROXY] = { "https_proxy in the environment",
					     first_set(https_proxy) },
		[FETCH_TEXT_NO_PROXY] = { "no_proxy in the environment", first_set(no_proxy) },
		[FETCH_TEXT_USER] = { "the user name", auth->user },
		[FETCH_TEXT_PASSWORD] = { "the password", auth->password },
		[FETCH_TEXT_IDENTITY_TOKEN] = { "the identity token", auth->identity_token },
		[FETCH_TEXT_REGISTRY_TOKEN] = { "the registry token", auth->registry_token },
		[FETCH_TEXT_SCOPE] = { "the scope", auth->scope },
	};

	if (strlen(request->url) >= FETCH_URL_MAX)
		return err_set(err, ERR_INVALID, ENAMETOOLONG, "the URL is longer than %d bytes",
			       FETCH_URL_MAX - 1);
	for (size_t i = 0; i < FETCH_NTEXTS; i++) {
		int r = add_text(job, len, texts[i].name, texts[i].text, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int open_pem(const char *path, int *fd, struct err *err)
{
	*fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	return path && *fd < 0 ? err_sys(err, errno, "cannot open the certificate %s", path) : 0;
}

/* What is there of `fds`, in order. The packet is whole or not there: threads can do this at once.
 */
static int send_job(const struct fetch_session *session, struct fetch_job *job, size_t len,
		    const int fds[FETCH_JOB_NFDS], const struct interrupt *interrupt,
		    struct err *err)
{
	int sent[FETCH_JOB_NFDS];
	size_t count = 0;

	for (int i = 0; i < FETCH_JOB_NFDS; i++) {
		if (fds[i] < 0)
			continue;
		sent[count++] = fds[i];
		job->fds |= 1 << i;
	}
	for (;;) {
		int r = seqpacket_send(session->control, job,
				       offsetof(struct fetch_job, texts) + len, sent, count);

		/* The stage is gone: what it said of that is read in place of an answer. */
		if (r == 0 || r == -EPIPE)
			return 0;
		if (r != -EAGAIN)
			return err_sys(err, -r, "cannot talk to the fetch stage");
		r = interrupt_poll(interrupt, session->control, POLLOUT, -1, err);
		if (r < 0)
			return r;
	}
}

static int make_job(struct fetch_job *job, size_t *len, const struct fetch_request *request,
		    int64_t offset, const char *validator, int connect_timeout_s, struct err *err)
{
	memset(job, 0, offsetof(struct fetch_job, texts));
	job->method = request->method;
	job->offset = offset;
	job->connect_timeout_s = connect_timeout_s;
	job->upload_size = request->upload_size;
	job->upload_offset = request->has_range ? request->upload_offset : -1;
	job->insecure = request->tls.insecure;
	job->plain_http_fallback = request->tls.plain_http_fallback;
	return add_texts(job, len, request, offset > 0 ? validator : "", err);
}

int fetcher_start(struct fetcher *fetcher, struct fetch_session *session,
		  const struct fetch_request *request, bool wants_body, int64_t offset,
		  const char *validator, int connect_timeout_s, const struct interrupt *interrupt,
		  struct err *err)
{
	AUTO_CLOSE int body = -1;
	AUTO_CLOSE int events = -1;
	AUTO_CLOSE int cacert = -1;
	AUTO_CLOSE int cert = -1;
	AUTO_CLOSE int key = -1;
	AUTO_FREE struct fetch_job *job = malloc(sizeof(*job));
	size_t len = 0;
	int pair[2], r;

	if (!job)
		return err_sys(err, ENOMEM, "cannot fetch");
	r = make_job(job, &len, request, offset, validator, connect_timeout_s, err);
	if (r == 0)
		r = open_pem(request->tls.cacert, &cacert, err);
	if (r == 0)
		r = open_pem(request->tls.cert, &cert, err);
	if (r == 0)
		r = open_pem(request->tls.key, &key, err);
	if (r < 0)
		return r;
	r = seqpacket_pair(pair, err);
	if (r < 0)
		return r;
	fetcher->events = pair[0];
	events = pair[1];
	if (wants_body) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			return err_sys(err, errno, "cannot make a pipe");
		fetcher->body = pair[0];
		body = pair[1];
		fcntl(body, F_SETPIPE_SZ, PIPE_SIZE);
	}
	return send_job(
		session, job, len,
		(const int[FETCH_JOB_NFDS]){
			[FETCH_JOB_EVENTS] = events,
			[FETCH_JOB_BODY] = body,
			[FETCH_JOB_UPLOAD] = request->upload_fd > 0 ? request->upload_fd : -1,
			[FETCH_JOB_CACERT] = cacert,
			[FETCH_JOB_CERT] = cert,
			[FETCH_JOB_KEY] = key,
		},
		interrupt, err);
}

/* What the stage said when it could not begin. */
static int stage_ended(const struct fetch_session *session, struct err *err)
{
	struct err said;
	ssize_t n;

	/*
	 * Only looked at: other threads want to know it, too. A job that it did not read is told
	 * first, and once.
	 */
	do
		n = recv(session->control, &said, sizeof(said), MSG_PEEK);
	while (n < 0 && errno == ECONNRESET);
	if (n != sizeof(said) || !err_received(&said))
		return err_set(err, ERR_SYS, EIO, "the fetch stage ended without a report");
	*err = said;
	return err_code(err);
}

int fetcher_event(const struct fetcher *fetcher, const struct fetch_session *session,
		  struct fetch_event *event, struct err *err)
{
	ssize_t n = recv(fetcher->events, event, sizeof(*event), 0);

	if (n != sizeof(*event))
		return stage_ended(session, err);
	return fetch_event_check(event, err);
}
