/* SPDX-License-Identifier: Apache-2.0 */
#include "image/fetch_attempt.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "image/fetch_stage.h"
#include "image/fetcher.h"

/* Registries digest a whole upload before they answer: so many times the stall timeout. */
#define PATIENCE_AFTER_UPLOAD 10

/*
 * Wait for `fd`; silence for too long is a failure that is worth another attempt. The stage stops
 * waiting for a connection after the same time, and knows better why: it comes first.
 */
static int await(struct fetch_attempt *attempt, int fd, int seconds, struct err *err)
{
	int r = interrupt_poll(attempt->interrupt, fd, POLLIN, seconds * 1000 + 500, err);

	if (r != 0)
		return r < 0 ? r : 0;
	attempt->transient = true;
	return err_set(err, ERR_NETWORK, ETIMEDOUT, "nothing was received for %d s", seconds);
}

/* The next event but FETCH_EVENT_SENT. The end of a failed job is that failure. */
static int take_event(struct fetch_attempt *attempt, const struct fetcher *fetcher,
		      struct fetch_event *event, struct err *err)
{
	const struct fetch_request *request = attempt->request;
	int seconds = attempt->options->stall_timeout_s;

	for (;;) {
		int r = await(attempt, fetcher->events, seconds, err);

		if (r < 0)
			return r;
		r = fetcher_event(fetcher, attempt->session, event, err);
		if (r < 0)
			return r;
		if (event->kind != FETCH_EVENT_SENT)
			break;
		if (request->sent)
			request->sent(event->sent, request->data);
		if (event->sent == request->upload_size)
			seconds = attempt->options->stall_timeout_s * PATIENCE_AFTER_UPLOAD;
	}
	if (event->kind != FETCH_EVENT_END || !event->failed)
		return 0;
	attempt->transient = event->transient;
	attempt->untouched = event->untouched;
	attempt->retry_after_s = event->retry_after_s;
	*err = event->err;
	return err_code(err);
}

static void fill_reply(struct fetch_reply *reply, const struct fetch_event *head)
{
	reply->status = (int)head->status;
	reply->total = head->total;
	reply->range_end = head->range_end;
	reply->plain_http = head->plain_http;
	memcpy(reply->content_type, head->content_type, sizeof(reply->content_type));
	memcpy(reply->digest, head->digest, sizeof(reply->digest));
	memcpy(reply->location, head->location, sizeof(reply->location));
	memcpy(reply->link, head->link, sizeof(reply->link));
}

static int bad_status(struct fetch_attempt *attempt, const struct fetch_event *head,
		      struct err *err)
{
	int status = (int)head->status;
	const char *colon = head->message[0] ? ": " : "", *message = head->message;

	switch (status) {
	case 404:
	case 410:
		return err_set(err, ERR_NOT_FOUND, ENOENT,
			       "not found on the server%s%s (HTTP status %d)", colon, message,
			       status);
	case 401:
	case 403:
	case 407:
		return err_set(err, ERR_NETWORK, EACCES, "access is denied%s%s (HTTP status %d)",
			       colon, message, status);
	case 408:
	case 425:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		attempt->transient = true;
		attempt->untouched = status == 429 || status == 503;
		attempt->retry_after_s = head->retry_after_s;
		return err_set(err, ERR_NETWORK, EAGAIN, "%s%s%s (HTTP status %d)",
			       status == 429 ? "too many requests" : "the server is not ready",
			       colon, message, status);
	default:
		return err_set(err, ERR_NETWORK, EPROTO,
			       "the server answered with HTTP status %d%s%s", status, colon,
			       message);
	}
}

/* The server has no bytes from `offset` on: either all are there, or they are of another file. */
static int range_refused(struct fetch_attempt *attempt, const struct fetch_event *head,
			 int64_t offset, const char *validator, bool *done, struct err *err)
{
	const struct fetch_sink *sink = attempt->sink;
	int r;

	if (head->total == offset) {
		*done = true;
		return sink->begin(offset, offset, validator, sink->data, err);
	}
	r = sink->begin(0, -1, "", sink->data, err);
	if (r < 0)
		return r;
	attempt->transient = attempt->at_once = true;
	return err_set(err, ERR_NETWORK, ERANGE, "the file on the server has changed");
}

/*
 * A server that was asked for the rest and sends all: how many bytes of it are there already. They
 * are where they are known by their digest (no validator) or come from the same file.
 */
static int64_t known_bytes(const struct fetch_event *head, int64_t offset, const char *validator)
{
	if (head->offset > 0 || offset == 0 || (head->total >= 0 && head->total < offset))
		return 0;
	return !validator[0] || strcmp(validator, head->validator) == 0 ? offset : 0;
}

/* `position`: of the next byte from the pipe; those before `skip` are passed over. */
static int copy_body(struct fetch_attempt *attempt, const struct fetcher *fetcher, int64_t skip,
		     int64_t *position, struct err *err)
{
	const struct fetch_sink *sink = attempt->sink;

	for (;;) {
		int64_t known;
		ssize_t n;
		int r = await(attempt, fetcher->body, attempt->options->stall_timeout_s, err);

		if (r < 0)
			return r;
		n = read(fetcher->body, attempt->chunk, FETCH_CHUNK_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read from the fetch stage");
		if (n == 0)
			return 0;
		known = skip - *position < n ? skip - *position : n;
		if (known < 0)
			known = 0;
		if (known < n)
			r = sink->write(attempt->chunk + known, (size_t)(n - known), sink->data,
					err);
		if (r < 0)
			return r;
		*position += n;
	}
}

static int receive_body(struct fetch_attempt *attempt, const struct fetcher *fetcher,
			const struct fetch_event *head, int64_t offset, const char *validator,
			struct err *err)
{
	const struct fetch_sink *sink = attempt->sink;
	int64_t skip = known_bytes(head, offset, validator), position = head->offset;
	struct fetch_event end;
	int r = sink->begin(skip > 0 ? skip : head->offset, head->total, head->validator,
			    sink->data, err);

	if (r < 0)
		return r;
	r = copy_body(attempt, fetcher, skip, &position, err);
	if (position > attempt->furthest)
		attempt->furthest = position;
	if (r == 0)
		r = take_event(attempt, fetcher, &end, err);
	if (r < 0)
		return r;
	if ((head->total >= 0 && position != head->total) || position < skip) {
		attempt->transient = true;
		return err_set(err, ERR_NETWORK, EPROTO, "got %" PRId64 " of %" PRId64 " bytes",
			       position, head->total >= 0 ? head->total : skip);
	}
	return 0;
}

static int receive(struct fetch_attempt *attempt, const struct fetcher *fetcher, int64_t offset,
		   const char *validator, struct err *err)
{
	struct fetch_event head, end;
	bool done = false;
	int r = take_event(attempt, fetcher, &head, err);

	if (r < 0)
		return r;
	if (head.kind != FETCH_EVENT_HEAD)
		return err_set(err, ERR_SYS, EPROTO, "the fetch stage sent nonsense");
	fill_reply(attempt->reply, &head);
	if (head.status == 416 && offset > 0) {
		r = range_refused(attempt, &head, offset, validator, &done, err);
		if (r < 0 || done)
			return r;
	}
	if (!attempt->sink) {
		if (head.status < 200 || head.status > 299)
			return bad_status(attempt, &head, err);
		return take_event(attempt, fetcher, &end, err);
	}
	if (head.status != 200 && head.status != 206)
		return bad_status(attempt, &head, err);
	return receive_body(attempt, fetcher, &head, offset, validator, err);
}

int fetch_attempt_make(struct fetch_attempt *attempt, struct err *err)
{
	AUTO_FETCHER struct fetcher fetcher = FETCHER_INIT;
	const char *validator = "";
	int64_t offset = 0;
	int r;

	if (attempt->sink)
		offset = attempt->sink->resume(&validator, attempt->sink->data);
	attempt->transient = attempt->untouched = attempt->at_once = false;
	attempt->retry_after_s = 0;
	memset(attempt->reply, 0, sizeof(*attempt->reply));
	attempt->reply->total = attempt->reply->range_end = -1;
	if (offset > attempt->furthest)
		attempt->furthest = offset;
	r = fetcher_start(&fetcher, attempt->session, attempt->request, attempt->sink, offset,
			  validator, attempt->options->stall_timeout_s, attempt->interrupt, err);
	return r < 0 ? r : receive(attempt, &fetcher, offset, validator, err);
}
