/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_tell.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "image/http_failure.h"
#include "image/url.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"

#define TELL_SENT_NS (100 * NS_PER_MS) /* while bytes move */
#define TELL_ALIVE_NS NS_PER_S	       /* while we wait for what is to be sent */

/* Never blocks for long: at most one FETCH_EVENT_SENT is on its way. */
static int send_event(const struct http_job *job, const struct fetch_event *event)
{
	return send(job->events, event, sizeof(*event), MSG_NOSIGNAL) == sizeof(*event) ? 0 : -EIO;
}

static int64_t retry_after(const struct http_job *job)
{
	curl_off_t seconds = 0;

	if (job->transfer.curl)
		curl_easy_getinfo(job->transfer.curl, CURLINFO_RETRY_AFTER, &seconds);
	return seconds > 0 ? seconds : 0;
}

void http_finish(struct http_job *job, bool transient, const struct err *why)
{
	struct fetch_event event;

	memset(&event, 0, sizeof(event));
	event.kind = FETCH_EVENT_END;
	if (why) {
		event.failed = true;
		event.transient = transient;
		event.untouched = job->untouched;
		event.retry_after_s = retry_after(job);
		event.err = *why;
	}
	/* What the transfer holds of descriptors first: the end of the body is told by the end of
	 * file, and nothing of it may be behind this. */
	http_transfer_end(&job->transfer, job->client->multi);
	cleanup_close(&job->transfer.body);
	send_event(job, &event);
	job->done = true;
}

void http_finish_failed(struct http_job *job, bool transient, struct err *why)
{
	char origin[HTTP_ORIGIN_MAX];

	/* Before it goes, name whom it was about; the parent names the URL of the request. */
	if (job->for_token)
		err_wrap(why, "the token server %s", job->challenge.realm);
	else if (http_url_origin(job->url, origin) && strcmp(origin, job->origin) != 0)
		err_wrap(why, "redirected to %s", origin);
	http_finish(job, transient, why);
}

static void copy(char *out, const char *text, size_t size)
{
	size_t len = strnlen(text, size - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

static void set_offset(struct fetch_event *event, const struct http_transfer *transfer)
{
	const struct http_head *head = &transfer->head;

	event->total = head->status == 206 ? head->range_total : head->length;
	if (head->status == 206 && head->range_first == transfer->offset)
		event->offset = head->range_first;
	/* Another part than was asked for: as if it could not be had. */
	if (head->status == 206 && event->offset == 0) {
		event->status = 416;
		event->total = -1;
	} else if (head->status == 416) {
		event->total = head->range_total;
	}
}

int http_tell_head(struct http_transfer *transfer, void *data)
{
	struct http_job *job = data;
	const struct http_head *head = &transfer->head;
	struct fetch_event event;

	memset(&event, 0, sizeof(event));
	event.kind = FETCH_EVENT_HEAD;
	event.status = head->status;
	set_offset(&event, transfer);
	event.range_end = head->range_end;
	event.plain_http = url_is(job->own, "http");
	event.retry_after_s = retry_after(job);
	copy(event.validator, http_head_validator(head), sizeof(event.validator));
	copy(event.content_type, head->content_type, sizeof(event.content_type));
	copy(event.digest, head->digest, sizeof(event.digest));
	if (head->location[0] &&
	    !http_url_resolve(job->url, head->location, event.location, sizeof(event.location)))
		event.location[0] = '\0';
	if (head->next[0] &&
	    !http_url_resolve(job->url, head->next, event.link, sizeof(event.link)))
		event.link[0] = '\0';
	if (head->status >= 400 && transfer->text.len > 0 && !buf_failed(&transfer->text))
		http_failure_text(transfer->text.data, transfer->text.len, event.message,
				  sizeof(event.message));
	transfer->refused = http_transfer_has_body(transfer) && event.status == 416;
	return send_event(job, &event);
}

void http_tell_sent(struct http_job *job)
{
	int64_t now = clock_monotonic_ns();
	int64_t sent = job->upload.sent;
	struct fetch_event event;
	int queued = 0;

	if (job->upload.fd < 0 || job->for_token || job->done ||
	    now - job->told_ns < (sent > job->told_sent ? TELL_SENT_NS : TELL_ALIVE_NS) ||
	    (sent == job->told_sent && !job->transfer.upload_paused) ||
	    ioctl(job->events, SIOCOUTQ, &queued) < 0 || queued > 0)
		return;
	memset(&event, 0, sizeof(event));
	event.kind = FETCH_EVENT_SENT;
	event.total = event.range_end = -1;
	event.sent = sent;
	send_event(job, &event);
	job->told_sent = sent;
	job->told_ns = now;
}
