/* SPDX-License-Identifier: Apache-2.0 */
#include "image/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "image/fetch_attempt.h"
#include "image/fetch_stage.h"
#include "image/pull_ui.h"
#include "image/trust.h"
#include "image/url.h"
#include "store/base/cleanup.h"
#include "store/base/seqpacket.h"

#define FIRST_PAUSE_MS 500
#define MAX_PAUSE_MS 30000
#define MAX_RETRY_AFTER_S 60
#define PROGRESS_MIN (64 << 10) /* bytes; a server that sends less each time is not worth it */

/* --- the session --- */

int fetch_session_start(struct fetch_session *session, struct err *err)
{
	AUTO_CLOSE int trust = -1;
	AUTO_CLOSE int control = -1;
	AUTO_CLOSE int jobs = -1;
	int sockets[2], fds[FETCH_NFDS] = { -1, -1, -1, -1, -1 };
	const struct stage_options options = {
		.fds = fds,
		.nfds = FETCH_NFDS,
		.parent_death_signal = SIGKILL,
	};
	int r = trust_open(NULL, &trust, err);

	if (r < 0)
		return r;
	r = seqpacket_pair(sockets, err);
	if (r < 0)
		return r;
	control = sockets[0];
	jobs = sockets[1];
	/* Who sends looks for a signal meanwhile, and the stage after its transfers. */
	if (fcntl(control, F_SETFL, O_NONBLOCK) < 0 || fcntl(jobs, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot talk to the fetch stage");
	fds[FETCH_FD_JOBS] = jobs;
	fds[FETCH_FD_TRUST] = trust;
	r = stage_spawn("cman-fetch", &options, &session->child, err);
	if (r == 0)
		session->control = STEAL_FD(control);
	return r;
}

void fetch_session_end(struct fetch_session *session)
{
	cleanup_close(&session->control);
	stage_end(&session->child);
}

/* --- requests --- */

static void show_notice(const char *text, void *data)
{
	pull_ui_step(data, "%s", text);
}

struct fetch_options fetch_options_for(int retries, int stall_timeout_s, const struct pull_ui *ui)
{
	return (struct fetch_options){
		.retries = retries == 0 ? FETCH_DEFAULT_RETRIES :
			   retries > 0	? retries :
					  0,
		.stall_timeout_s = stall_timeout_s > 0 ? stall_timeout_s : FETCH_DEFAULT_STALL_S,
		.notice = show_notice,
		.data = (void *)ui,
	};
}

/* Twice as long each time, within bounds, and not for all clients the same. Milliseconds. */
static int pause_before(const struct fetch_attempt *attempt, int failures)
{
	int64_t wish = attempt->retry_after_s < MAX_RETRY_AFTER_S ? attempt->retry_after_s :
								    MAX_RETRY_AFTER_S;
	int pause = FIRST_PAUSE_MS;
	uint16_t random = 0;

	if (attempt->at_once)
		return 0;
	for (int i = 1; i < failures && pause < MAX_PAUSE_MS; i++)
		pause *= 2;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = 0;
	pause += pause * (random % 50) / 100;
	return wish * 1000 > pause ? (int)wish * 1000 : pause;
}

static void tell_retry(const struct fetch_attempt *attempt, const char *shown,
		       const struct err *why, int pause_ms)
{
	AUTO_BUF struct buf text = BUF_INIT;

	if (!attempt->options->notice)
		return;
	buf_addf(&text, "%s: %s; ", shown, why->text);
	if (pause_ms > 0)
		buf_addf(&text, "trying again in %.1f s", pause_ms / 1000.0);
	else
		buf_addstr(&text, "starting over");
	if (!buf_failed(&text))
		attempt->options->notice(text.data, attempt->options->data);
}

/* Whether the same may be asked once more without doing harm. */
static bool may_repeat(const struct fetch_attempt *attempt)
{
	const struct fetch_request *request = attempt->request;
	struct stat st;

	if (!attempt->transient)
		return false;
	if (request->method == FETCH_GET || request->method == FETCH_HEAD)
		return true;
	return attempt->untouched && (request->upload_fd <= 0 ||
				      (fstat(request->upload_fd, &st) == 0 && S_ISREG(st.st_mode)));
}

static int attempt_often(struct fetch_attempt *attempt, const char *shown, struct err *err)
{
	int64_t furthest = 0;
	int failures = 0;

	for (;;) {
		int pause, r = fetch_attempt_make(attempt, err);

		if (r == 0)
			return 0;
		if (r == -EINTR || r == -ECANCELED)
			return r;
		if (!may_repeat(attempt))
			return err_wrap(err, "%s", shown);
		if (attempt->furthest >= furthest + PROGRESS_MIN)
			failures = 0;
		/* Kept bytes that turned out to be of no use are no failure; now there are none. */
		failures += !attempt->at_once;
		furthest = attempt->furthest;
		if (failures > attempt->options->retries) {
			if (failures > 1)
				err_wrap(err, "gave up after %d attempts", failures);
			return err_wrap(err, "%s", shown);
		}
		pause = pause_before(attempt, failures);
		tell_retry(attempt, shown, err, pause);
		r = interrupt_poll(attempt->interrupt, -1, 0, pause, err);
		if (r < 0)
			return r;
	}
}

int fetch_url(struct fetch_session *session, const struct fetch_request *request,
	      const struct fetch_options *options, const struct fetch_sink *sink,
	      const struct interrupt *interrupt, struct fetch_reply *reply, struct err *err)
{
	AUTO_FREE struct fetch_reply *unwanted = reply ? NULL : malloc(sizeof(*unwanted));
	AUTO_FREE char *chunk = sink ? malloc(FETCH_CHUNK_SIZE) : NULL;
	AUTO_FREE char *shown = url_without_password(request->url);
	struct fetch_attempt attempt = {
		.session = session,
		.request = request,
		.options = options,
		.sink = sink,
		.interrupt = interrupt,
		.chunk = chunk,
		.reply = reply ? reply : unwanted,
	};

	if ((sink && !chunk) || !shown || !attempt.reply)
		return err_sys(err, ENOMEM, "cannot fetch");
	return attempt_often(&attempt, shown, err);
}

static int64_t resume_nothing(const char **validator, void *data)
{
	(void)validator;
	(void)data;
	return 0;
}

static int begin_in_memory(int64_t offset, int64_t total, const char *validator, void *data,
			   struct err *err)
{
	const struct fetch_memory *memory = data;

	(void)offset;
	(void)total;
	(void)validator;
	(void)err;
	buf_reset(memory->out);
	return 0;
}

static int write_to_memory(const void *bytes, size_t len, void *data, struct err *err)
{
	const struct fetch_memory *memory = data;

	if (len > memory->max - memory->out->len)
		return err_set(err, ERR_INVALID, EFBIG, "is larger than %zu bytes", memory->max);
	buf_add(memory->out, bytes, len);
	return buf_failed(memory->out) ? err_sys(err, ENOMEM, "cannot fetch") : 0;
}

struct fetch_sink fetch_into_memory(struct fetch_memory *memory)
{
	return (struct fetch_sink){ resume_nothing, begin_in_memory, write_to_memory, memory };
}

int fetch_small(struct fetch_session *session, const struct fetch_request *request, size_t max,
		const struct fetch_options *options, const struct interrupt *interrupt,
		struct buf *out, struct fetch_reply *reply, struct err *err)
{
	struct fetch_memory memory = { out, max };
	const struct fetch_sink sink = fetch_into_memory(&memory);

	return fetch_url(session, request, options, &sink, interrupt, reply, err);
}
