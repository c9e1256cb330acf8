/* SPDX-License-Identifier: Apache-2.0 */
#include "image/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image/fetch_stage.h"
#include "image/fetcher.h"
#include "image/url.h"
#include "store/base/cleanup.h"

#define CHUNK_SIZE (256u << 10)
#define FIRST_PAUSE_MS 500
#define MAX_PAUSE_MS 30000
#define MAX_RETRY_AFTER_S 60
#define PROGRESS_MIN (64 << 10) /* bytes; a server that sends less each time is not worth it */

struct fetch {
	const struct fetch_request *request;
	const char *shown; /* the URL without a password in it */
	const struct fetch_options *options;
	const struct fetch_sink *sink;
	const struct interrupt *interrupt;
	char *chunk;
	int64_t furthest; /* the most bytes there were at any time */
	/* of the last attempt */
	bool transient;
	bool at_once;	       /* try again without a pause */
	int64_t retry_after_s; /* the server's wish */
};

/* Wait for `fd`; silence for too long is a failure that is worth another attempt. */
static int await(struct fetch *fetch, int fd, struct err *err)
{
	int r = interrupt_poll(fetch->interrupt, fd, POLLIN, fetch->options->stall_timeout_s * 1000,
			       err);

	if (r != 0)
		return r < 0 ? r : 0;
	fetch->transient = true;
	return err_set(err, ERR_NETWORK, ETIMEDOUT, "nothing was received for %d s",
		       fetch->options->stall_timeout_s);
}

/* The next event. The end of a failed transfer is that failure. */
static int take_event(struct fetch *fetch, const struct fetcher *fetcher, struct fetch_event *event,
		      struct err *err)
{
	int r = await(fetch, fetcher->control, err);

	if (r < 0)
		return r;
	if (recv(fetcher->control, event, sizeof(*event), 0) != sizeof(*event))
		return err_set(err, ERR_SYS, EIO, "the fetch stage ended without a report");
	r = fetch_event_check(event, err);
	if (r < 0 || event->kind != FETCH_EVENT_END || !event->failed)
		return r;
	fetch->transient = event->transient;
	*err = event->err;
	return err_code(err);
}

static int copy_body(struct fetch *fetch, const struct fetcher *fetcher, int64_t *position,
		     struct err *err)
{
	for (;;) {
		ssize_t n;
		int r = await(fetch, fetcher->body, err);

		if (r < 0)
			return r;
		n = read(fetcher->body, fetch->chunk, CHUNK_SIZE);
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot read from the fetch stage");
		if (n == 0)
			return 0;
		if (n > 0) {
			r = fetch->sink->write(fetch->chunk, (size_t)n, fetch->sink->data, err);
			*position += r < 0 ? 0 : n;
		}
		if (r < 0) {
			fetch->transient = false;
			return r;
		}
	}
}

static int bad_status(struct fetch *fetch, const struct fetch_event *head, struct err *err)
{
	int status = (int)head->status;

	switch (status) {
	case 404:
	case 410:
		return err_set(err, ERR_NOT_FOUND, ENOENT,
			       "not found on the server (HTTP status %d)", status);
	case 401:
	case 403:
	case 407:
		return err_set(err, ERR_NETWORK, EACCES, "access is denied (HTTP status %d)",
			       status);
	case 408:
	case 425:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		fetch->transient = true;
		fetch->retry_after_s = head->retry_after_s;
		return err_set(err, ERR_NETWORK, EAGAIN, "%s (HTTP status %d)",
			       status == 429 ? "too many requests" : "the server is not ready",
			       status);
	default:
		return err_set(err, ERR_NETWORK, EPROTO, "the server answered with HTTP status %d",
			       status);
	}
}

/* The server has no bytes from `offset` on: either all are there, or they are of another file. */
static int range_refused(struct fetch *fetch, const struct fetch_event *head, int64_t offset,
			 const char *validator, bool *done, struct err *err)
{
	const struct fetch_sink *sink = fetch->sink;
	int r;

	if (head->total == offset) {
		*done = true;
		return sink->begin(offset, offset, validator, sink->data, err);
	}
	r = sink->begin(0, -1, "", sink->data, err);
	if (r < 0)
		return r;
	fetch->transient = fetch->at_once = true;
	return err_set(err, ERR_NETWORK, ERANGE, "the file on the server has changed");
}

static int receive(struct fetch *fetch, const struct fetcher *fetcher, int64_t offset,
		   const char *validator, struct err *err)
{
	const struct fetch_sink *sink = fetch->sink;
	struct fetch_event head, end;
	bool done = false;
	int64_t position;
	int r = take_event(fetch, fetcher, &head, err);

	if (r < 0)
		return r;
	if (head.kind != FETCH_EVENT_HEAD)
		return err_set(err, ERR_SYS, EPROTO, "the fetch stage sent nonsense");
	if (head.status == 416 && offset > 0) {
		r = range_refused(fetch, &head, offset, validator, &done, err);
		if (r < 0 || done)
			return r;
	}
	if (head.status != 200 && head.status != 206)
		return bad_status(fetch, &head, err);
	r = sink->begin(head.offset, head.total, head.validator, sink->data, err);
	if (r < 0)
		return r;
	position = head.offset;
	r = copy_body(fetch, fetcher, &position, err);
	if (position > fetch->furthest)
		fetch->furthest = position;
	if (r == 0)
		r = take_event(fetch, fetcher, &end, err);
	if (r < 0)
		return r;
	if (head.total >= 0 && position != head.total) {
		fetch->transient = true;
		return err_set(err, ERR_NETWORK, EPROTO, "got %" PRId64 " of %" PRId64 " bytes",
			       position, head.total);
	}
	return 0;
}

static int attempt(struct fetch *fetch, struct err *err)
{
	AUTO_FETCHER struct fetcher fetcher = FETCHER_INIT;
	struct fetcher_request request = {
		.url = fetch->request->url,
		.cacert = fetch->request->tls.cacert,
		.validator = "",
		.connect_timeout_s = fetch->options->stall_timeout_s,
	};
	int r;

	request.offset = fetch->sink->resume(&request.validator, fetch->sink->data);
	fetch->transient = fetch->at_once = false;
	fetch->retry_after_s = 0;
	if (request.offset > fetch->furthest)
		fetch->furthest = request.offset;
	r = fetcher_start(&fetcher, &request, err);
	return r < 0 ? r : receive(fetch, &fetcher, request.offset, request.validator, err);
}

/* Twice as long each time, within bounds, and not for all clients the same. Milliseconds. */
static int pause_before(const struct fetch *fetch, int failures)
{
	int64_t wish =
		fetch->retry_after_s < MAX_RETRY_AFTER_S ? fetch->retry_after_s : MAX_RETRY_AFTER_S;
	int pause = FIRST_PAUSE_MS;
	uint16_t random = 0;

	if (fetch->at_once)
		return 0;
	for (int i = 1; i < failures && pause < MAX_PAUSE_MS; i++)
		pause *= 2;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = 0;
	pause += pause * (random % 50) / 100;
	return wish * 1000 > pause ? (int)wish * 1000 : pause;
}

static void tell_retry(const struct fetch *fetch, const struct err *why, int pause_ms)
{
	AUTO_BUF struct buf text = BUF_INIT;

	if (!fetch->options->notice)
		return;
	buf_addf(&text, "%s: %s; ", fetch->shown, why->text);
	if (pause_ms > 0)
		buf_addf(&text, "trying again in %.1f s", pause_ms / 1000.0);
	else
		buf_addstr(&text, "starting over");
	if (!buf_failed(&text))
		fetch->options->notice(text.data, fetch->options->data);
}

static int fetch_with_retries(struct fetch *fetch, struct err *err)
{
	int64_t furthest = 0;
	int failures = 0;

	for (;;) {
		int pause, r = attempt(fetch, err);

		if (r == 0)
			return 0;
		if (!fetch->transient)
			return r == -EINTR ? r : (err_wrap(err, "%s", fetch->shown), r);
		if (fetch->furthest >= furthest + PROGRESS_MIN)
			failures = 0;
		/* Kept bytes that turned out to be of no use are no failure; now there are none. */
		failures += !fetch->at_once;
		furthest = fetch->furthest;
		if (failures > fetch->options->retries) {
			if (failures > 1)
				err_wrap(err, "gave up after %d attempts", failures);
			return err_wrap(err, "%s", fetch->shown);
		}
		pause = pause_before(fetch, failures);
		tell_retry(fetch, err, pause);
		r = interrupt_poll(fetch->interrupt, -1, 0, pause, err);
		if (r < 0)
			return r;
	}
}

int fetch_session_start(struct fetch_session *session, struct err *err)
{
	(void)session;
	(void)err;
	return 0;
}

void fetch_session_end(struct fetch_session *session)
{
	(void)session;
}

int fetch_url(struct fetch_session *session, const struct fetch_request *request,
	      const struct fetch_options *options, const struct fetch_sink *sink,
	      const struct interrupt *interrupt, struct fetch_reply *reply, struct err *err)
{
	AUTO_FREE char *chunk = malloc(CHUNK_SIZE);
	AUTO_FREE char *shown = url_without_password(request->url);
	struct fetch fetch = {
		.request = request,
		.shown = shown,
		.options = options,
		.sink = sink,
		.interrupt = interrupt,
		.chunk = chunk,
	};

	(void)session;
	(void)reply;
	if (!chunk || !shown)
		return err_sys(err, ENOMEM, "cannot fetch");
	if (request->method != FETCH_GET)
		return err_set(err, ERR_UNSUPPORTED, ENOSYS, "%s: only GET is made", shown);
	return fetch_with_retries(&fetch, err);
}

struct small {
	struct buf *out;
	size_t max;
};

static int64_t small_resume(const char **validator, void *data)
{
	(void)validator;
	(void)data;
	return 0;
}

static int small_begin(int64_t offset, int64_t total, const char *validator, void *data,
		       struct err *err)
{
	const struct small *small = data;

	(void)offset;
	(void)total;
	(void)validator;
	(void)err;
	buf_reset(small->out);
	return 0;
}

static int small_write(const void *bytes, size_t len, void *data, struct err *err)
{
	const struct small *small = data;

	if (small->out->len + len > small->max)
		return err_set(err, ERR_INVALID, EFBIG, "is larger than %zu bytes", small->max);
	buf_add(small->out, bytes, len);
	return buf_failed(small->out) ? err_sys(err, ENOMEM, "cannot fetch") : 0;
}

int fetch_small(struct fetch_session *session, const struct fetch_request *request, size_t max,
		const struct fetch_options *options, const struct interrupt *interrupt,
		struct buf *out, struct fetch_reply *reply, struct err *err)
{
	struct small small = { out, max };
	const struct fetch_sink sink = { small_resume, small_begin, small_write, &small };

	return fetch_url(session, request, options, &sink, interrupt, reply, err);
}
