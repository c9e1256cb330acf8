/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/unpack_stage.h"
#include "store/base/cleanup.h"

#define PIPE_SIZE (1 << 20) /* what an ordinary user may ask for; less is fine */

static void close_fd(int *fd)
{
	cleanup_close(fd);
	*fd = -1;
}

void ingest_abort(struct ingest *ingest)
{
	close_fd(&ingest->data_fd);
	close_fd(&ingest->report_fd);
	close_fd(&ingest->marks_fd);
	stage_end(&ingest->stage);
	if (ingest->draft.fd >= 0)
		layer_draft_abort(ingest->store, &ingest->draft);
	verify_release(&ingest->digest);
	marks_release(&ingest->marks);
	*ingest = (struct ingest)INGEST_INIT;
}

static int send_job(struct ingest *ingest, const struct unpack_limits *limits, struct err *err)
{
	const struct unpack_limits defaults = UNPACK_LIMITS_DEFAULT;
	const struct unpack_job job = {
		.limits = limits ? *limits : defaults,
		.unmarked_end = ingest->expected != NULL,
	};

	/* The first packet of a new socket: there is room for it. */
	if (send(ingest->report_fd, &job, sizeof(job), MSG_NOSIGNAL) != sizeof(job))
		return err_sys(err, errno, "cannot talk to the unpack stage");
	return 0;
}

static int start_stage(struct ingest *ingest, const struct unpack_limits *limits, struct err *err)
{
	AUTO_CLOSE int archive = -1;
	AUTO_CLOSE int report = -1;
	int data[2], reports[2], fds[UNPACK_NFDS] = { -1, -1, -1, -1, -1, -1 };
	const struct stage_options options = {
		.fds = fds,
		.nfds = UNPACK_NFDS,
		.parent_death_signal = SIGKILL,
	};
	int r;

	if (pipe2(data, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	archive = data[0];
	ingest->data_fd = data[1];
	fcntl(ingest->data_fd, F_SETPIPE_SZ, PIPE_SIZE);
	if (fcntl(ingest->data_fd, F_SETFL, O_NONBLOCK) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reports) < 0)
		return err_sys(err, errno, "cannot talk to the unpack stage");
	ingest->report_fd = reports[0];
	report = reports[1];
	fds[UNPACK_FD_ARCHIVE] = archive;
	fds[UNPACK_FD_REPORT] = report;
	fds[UNPACK_FD_TARGET] = ingest->draft.fd;
	r = marks_open(&ingest->marks_fd, err);
	if (r == 0)
		r = send_job(ingest, limits, err);
	if (r < 0)
		return r;
	fds[UNPACK_FD_MARKS] = ingest->marks_fd;
	return stage_spawn("cman-unpack", &options, &ingest->stage, err);
}

int ingest_begin(struct ingest *ingest, struct store *store, const struct interrupt *interrupt,
		 const char *expected, const struct unpack_limits *limits, struct err *err)
{
	int r;

	ingest_abort(ingest);
	ingest->store = store;
	ingest->interrupt = interrupt;
	ingest->expected = expected;
	r = verify_start(&ingest->digest, err);
	if (r == 0)
		r = layer_draft_begin(store, &ingest->draft, err);
	if (r == 0)
		r = start_stage(ingest, limits, err);
	return r;
}

/* Wait for what the stage has to say. */
static int take_report(struct ingest *ingest, struct err *err)
{
	struct unpack_report report;
	int r = interrupt_poll(ingest->interrupt, ingest->report_fd, POLLIN, -1, err);
	ssize_t n;
	int status;

	if (r < 0)
		return r;
	n = recv(ingest->report_fd, &report, sizeof(report), 0);
	status = stage_end(&ingest->stage);
	if (n != sizeof(report))
		return unpack_stage_died(status, err);
	r = unpack_report_check(&report, err);
	if (r < 0)
		return r;
	if (!report.failed) {
		ingest->result = report.result;
		r = marks_read(ingest->marks_fd, (size_t)report.marks_bytes, &ingest->marks, err);
		return r < 0 ? r : marks_apply(ingest->draft.fd, &ingest->marks, err);
	}
	*err = report.err;
	if (err->kind == ERR_INVALID) {
		ingest->refused = true;
		ingest->refusal = *err;
	}
	return err_code(err);
}

/* The stage has closed its end: it failed. */
static int stage_stopped(struct ingest *ingest, struct err *err)
{
	int r = take_report(ingest, err);

	if (r == 0) /* it cannot have seen the end, as there was more to write */
		return err_set(err, ERR_SYS, EPIPE, "the unpack stage stopped reading");
	return ingest->refused && ingest->expected ? 0 : r;
}

static int feed_stage(struct ingest *ingest, const char *data, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t n = write(ingest->data_fd, data, len);
		int r;

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EPIPE)
			return stage_stopped(ingest, err);
		if (errno != EAGAIN && errno != EINTR)
			return err_sys(err, errno, "cannot write to the unpack stage");
		r = interrupt_poll(ingest->interrupt, ingest->data_fd, POLLOUT, -1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int ingest_write(struct ingest *ingest, const void *data, size_t len, struct err *err)
{
	int r = verify_update(&ingest->digest, data, len, err);

	if (r < 0 || ingest->refused)
		return r;
	return feed_stage(ingest, data, len, err);
}

int ingest_finish(struct ingest *ingest, char digest[DIGEST_HEX_LEN + 1], struct err *err)
{
	struct err report_err = ERR_INIT;
	int r = 0;

	digest[0] = '\0';
	close_fd(&ingest->data_fd);
	if (!ingest->refused)
		r = take_report(ingest, &report_err);
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
