/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ingest.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "image/inflate_stage.h"
#include "image/stage_report.h"
#include "image/unpack_stage.h"
#include "store/base/cleanup.h"

/* Kill what runs, and wait for the thread between, which that ends. */
static void end_stages(struct ingest *ingest)
{
	stage_end(&ingest->inflate);
	stage_end(&ingest->unpack);
	handover_join(&ingest->handover);
}

/* Somebody who pressed ctrl-c does not wait for it to be removed. */
static void drop_draft(struct ingest *ingest)
{
	if (ingest->interrupt && interrupt_came(ingest->interrupt))
		layer_draft_leave(ingest->store, &ingest->draft);
	else
		layer_draft_abort(ingest->store, &ingest->draft);
}

void ingest_abort(struct ingest *ingest)
{
	end_stages(ingest);
	ring_close(&ingest->in);
	handover_release(&ingest->handover);
	cleanup_close(&ingest->inflate_fd);
	cleanup_close(&ingest->unpack_fd);
	cleanup_close(&ingest->marks_fd);
	if (ingest->draft.fd >= 0)
		drop_draft(ingest);
	verify_release(&ingest->digest);
	marks_release(&ingest->marks);
	*ingest = (struct ingest)INGEST_INIT;
}

/* --- the stages --- */

static int start_inflate(struct ingest *ingest, const struct unpack_limits *limits,
			 const struct ring_ends *in, const struct ring_ends *out, struct err *err)
{
	const struct inflate_job job = { limits->bytes, limits->expansion };
	AUTO_CLOSE int report = -1;
	int fds[INFLATE_NFDS] = { -1, -1, -1 };
	const struct stage_options options = {
		.fds = fds,
		.nfds = INFLATE_NFDS,
		.parent_death_signal = SIGKILL,
	};
	int r = stage_report_open("inflate", &job, sizeof(job), &ingest->inflate_fd, &report, err);

	if (r < 0)
		return r;
	fds[INFLATE_FD_REPORT] = report;
	fds[INFLATE_FD_IN] = in->memory;
	fds[INFLATE_FD_IN_SOCKET] = in->reader;
	fds[INFLATE_FD_OUT] = out->memory;
	fds[INFLATE_FD_OUT_SOCKET] = out->writer;
	return stage_spawn("cman-inflate", &options, &ingest->inflate, err);
}

static int start_unpack(struct ingest *ingest, const struct unpack_limits *limits,
			const struct ring_ends *archive, struct err *err)
{
	const struct unpack_job job = {
		.limits = *limits,
		.unmarked_end = ingest->expected != NULL,
	};
	AUTO_CLOSE int report = -1;
	int fds[UNPACK_NFDS] = { -1, -1, -1 };
	const struct stage_options options = {
		.fds = fds,
		.nfds = UNPACK_NFDS,
		.parent_death_signal = SIGKILL,
	};
	int r = stage_report_open("unpack", &job, sizeof(job), &ingest->unpack_fd, &report, err);

	if (r == 0)
		r = marks_open(&ingest->marks_fd, err);
	if (r < 0)
		return r;
	fds[UNPACK_FD_REPORT] = report;
	fds[UNPACK_FD_TARGET] = ingest->draft.fd;
	fds[UNPACK_FD_MARKS] = ingest->marks_fd;
	fds[UNPACK_FD_ARCHIVE] = archive->memory;
	fds[UNPACK_FD_ARCHIVE_SOCKET] = archive->reader;
	return stage_spawn("cman-unpack", &options, &ingest->unpack, err);
}

/* A ring that this process writes to: nobody else can. */
static int open_own(struct ring *ring, struct ring_ends *ends, struct err *err)
{
	int r = ring_create(ends, err);

	if (r == 0)
		r = ring_open_writer(ring, ends->memory, &ends->writer, err);
	return r < 0 ? r : ring_seal(ends->memory, err);
}

static int start_stages(struct ingest *ingest, const struct unpack_limits *limits, struct err *err)
{
	AUTO_RING_ENDS struct ring_ends in = RING_ENDS_INIT;
	AUTO_RING_ENDS struct ring_ends content = RING_ENDS_INIT;
	AUTO_RING_ENDS struct ring_ends archive = RING_ENDS_INIT;
	int r = open_own(&ingest->in, &in, err);

	if (r == 0)
		r = open_own(&ingest->handover.out, &archive, err);
	if (r == 0)
		r = ring_create(&content, err);
	if (r == 0)
		r = ring_open_reader(&ingest->handover.in, content.memory, &content.reader, err);
	if (r == 0)
		r = start_inflate(ingest, limits, &in, &content, err);
	if (r == 0)
		r = start_unpack(ingest, limits, &archive, err);
	return r < 0 ? r : handover_start(&ingest->handover, limits->bytes, err);
}

int ingest_begin(struct ingest *ingest, struct store *store, const struct interrupt *interrupt,
		 const char *expected, const struct unpack_limits *limits, struct err *err)
{
	static const struct unpack_limits defaults = UNPACK_LIMITS_DEFAULT;
	int r;

	ingest_abort(ingest);
	ingest->store = store;
	ingest->interrupt = interrupt;
	ingest->expected = expected;
	r = verify_start(&ingest->digest, err);
	if (r == 0)
		r = layer_draft_begin(store, &ingest->draft, err);
	if (r == 0)
		r = start_stages(ingest, limits ? limits : &defaults, err);
	return r;
}

/* --- what they say --- */

/* The archive has no end: because of what it was compressed as, if nothing is wrong here. */
static int take_inflate_report(struct ingest *ingest, struct err *err)
{
	struct inflate_report report;
	int r = interrupt_poll(ingest->interrupt, ingest->inflate_fd, POLLIN, -1, err);

	if (r < 0)
		return r;
	r = stage_report_take("inflate", ingest->inflate_fd, &ingest->inflate, &report,
			      sizeof(report), err);
	if (r == 0)
		r = inflate_report_check(&report, err);
	if (r < 0)
		return r;
	if (!report.failed) /* then it has told the end of the archive */
		return err_set(err, ERR_SYS, EPROTO, "the archive was not handed on");
	*err = report.err;
	return err_code(err);
}

static int take_unpack_report(struct ingest *ingest, bool *broke_off, struct err *err)
{
	struct unpack_report report;
	int r = interrupt_poll(ingest->interrupt, ingest->unpack_fd, POLLIN, -1, err);

	if (r < 0)
		return r;
	r = stage_report_take("unpack", ingest->unpack_fd, &ingest->unpack, &report, sizeof(report),
			      err);
	if (r == 0)
		r = unpack_report_check(&report, err);
	if (r < 0)
		return r;
	if (!report.failed) {
		ingest->result = report.result;
		return marks_read(ingest->marks_fd, (size_t)report.marks_bytes, &ingest->marks,
				  err);
	}
	*broke_off = report.broke_off;
	*err = report.err;
	return err_code(err);
}

/* All has gone through: now it is known what it was. */
static int take_content(struct ingest *ingest, struct err *err)
{
	end_stages(ingest);
	if (!ingest->handover.whole)
		return err_set(err, ERR_SYS, EPROTO, "the unpack stage did not wait for the end");
	memcpy(ingest->diff_id, ingest->handover.diff_id, sizeof(ingest->diff_id));
	return marks_apply(ingest->draft.fd, &ingest->marks, err);
}

/* Wait for what the stages have to say. */
static int take_reports(struct ingest *ingest, struct err *err)
{
	bool broke_off = false;
	int r = take_unpack_report(ingest, &broke_off, err);

	if (r == 0)
		r = take_content(ingest, err);
	else if (broke_off)
		r = take_inflate_report(ingest, err);
	if (r < 0)
		end_stages(ingest);
	if (r < 0 && ingest->handover.err.kind != ERR_NONE) {
		*err = ingest->handover.err;
		r = err_code(err);
	}
	if (r < 0 && err->kind == ERR_INVALID) {
		ingest->refused = true;
		ingest->refusal = *err;
	}
	return r;
}

/* Nobody reads any more: one of them failed. */
static int stages_stopped(struct ingest *ingest, struct err *err)
{
	int r = take_reports(ingest, err);

	if (r == 0) /* they cannot have seen the end, as there was more to write */
		return err_set(err, ERR_SYS, EPIPE, "the stages stopped reading");
	return ingest->refused && ingest->expected ? 0 : r;
}

static int feed(struct ingest *ingest, const char *data, size_t len, struct err *err)
{
	while (len > 0) {
		size_t n = len < RING_SLOT_SIZE ? len : RING_SLOT_SIZE;
		void *slot;
		int r = ring_room(&ingest->in, false, &slot);

		if (r == -EAGAIN) {
			r = interrupt_poll(ingest->interrupt, ingest->in.socket, POLLIN, -1, err);
			if (r < 0)
				return r;
			continue;
		}
		if (r == 0) {
			memcpy(slot, data, n);
			r = ring_post(&ingest->in, n);
		}
		if (r == -EPIPE)
			return stages_stopped(ingest, err);
		if (r < 0)
			return err_sys(err, -r, "cannot talk to the inflate stage");
		data += n;
		len -= n;
	}
	return 0;
}

int ingest_digest(struct ingest *ingest, const void *data, size_t len, struct err *err)
{
	return verify_update(&ingest->digest, data, len, err);
}

int ingest_unpack(struct ingest *ingest, const void *data, size_t len, struct err *err)
{
	return ingest->refused ? 0 : feed(ingest, data, len, err);
}

int ingest_write(struct ingest *ingest, const void *data, size_t len, struct err *err)
{
	int r = ingest_digest(ingest, data, len, err);

	return r < 0 ? r : ingest_unpack(ingest, data, len, err);
}

int ingest_finish(struct ingest *ingest, char digest[DIGEST_HEX_LEN + 1], struct err *err)
{
	struct err report_err = ERR_INIT;
	int r = 0;

	digest[0] = '\0';
	if (!ingest->refused) {
		/* Where it cannot be said to them, their reports tell why. */
		(void)ring_end(&ingest->in);
		r = take_reports(ingest, &report_err);
	}
	if (r < 0 && !ingest->refused) {
		*err = report_err;
		return r;
	}
	r = verify_finish(&ingest->digest, digest, err);
	/* First of all what was published: a malformed archive may be a bad download. */
	if (r == 0 && ingest->expected)
		r = verify_check(ingest->expected, digest, err);
	if (r == 0 && ingest->refused) {
		*err = ingest->refusal;
		r = err_code(err);
	}
	return r;
}
