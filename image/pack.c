/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "image/pack_stage.h"
#include "image/stage_report.h"
#include "image/verify.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define PIPE_SIZE (1 << 20) /* what an ordinary user may ask for; less is fine */

void pack_mark_add(struct buf *marks, enum pack_mark mark, const char *path)
{
	buf_addch(marks, (char)mark);
	buf_add(marks, path, strlen(path) + 1);
}

void pack_abort(struct pack *pack)
{
	cleanup_close(&pack->fd);
	cleanup_close(&pack->report_fd);
	stage_end(&pack->stage);
	*pack = (struct pack)PACK_INIT;
}

int pack_stage_start(struct pack *pack, const struct pack_order *order, int in_fd, int mount_fd,
		     int marks_fd, struct err *err)
{
	AUTO_CLOSE int out = -1;
	AUTO_CLOSE int report = -1;
	int pipes[2], r, fds[PACK_NFDS] = { in_fd, -1, -1, -1, mount_fd, marks_fd };
	const struct stage_options options = {
		.fds = fds,
		.nfds = PACK_NFDS,
		.parent_death_signal = SIGKILL,
		/* An interruption by the terminal is the caller's to see, which then ends this. */
		.new_session = 1,
	};

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	pack->fd = pipes[0];
	out = pipes[1];
	fcntl(out, F_SETPIPE_SZ, PIPE_SIZE);
	r = stage_report_open("pack", order, sizeof(*order), &pack->report_fd, &report, err);
	if (r < 0)
		return r;
	fds[PACK_FD_OUT] = out;
	fds[PACK_FD_REPORT] = report;
	return stage_spawn("cman-pack", &options, &pack->stage, err);
}

/* As they fit into an order. */
static int take_names(struct pack_order *order, const struct pack_request *request, struct err *err)
{
	if (strlen(request->path) >= sizeof(order->path) ||
	    strlen(request->name) >= sizeof(order->name))
		return err_sys(err, ENAMETOOLONG, "cannot look it up");
	strcpy(order->path, request->path);
	strcpy(order->name, request->name);
	order->follow = request->follow;
	return 0;
}

int pack_start(struct pack *pack, const struct pack_request *request, struct err *err)
{
	struct pack_order order = {
		.kind = request->kind,
		.compression = request->compression,
		.level = request->level,
		.marks_len = request->marks ? (int64_t)request->marks->len : 0,
	};
	AUTO_CLOSE int marks = -1;
	int r = 0;

	pack_abort(pack);
	if (request->kind == PACK_COPY)
		r = take_names(&order, request, err);
	if (r == 0 && request->marks && order.marks_len > 0)
		r = fd_from_memory("cman-marks", request->marks->data, request->marks->len, &marks,
				   err);
	if (r == 0)
		r = pack_stage_start(pack, &order, -1, request->mount_fd, marks, err);
	if (r < 0)
		pack_abort(pack);
	return r;
}

int pack_report_check(struct pack_report *report, struct err *err)
{
	struct pack_result *result = &report->result;
	bool possible = err_received(&report->err);

	result->changed_path[sizeof(result->changed_path) - 1] = '\0';
	result->diff_id[DIGEST_HEX_LEN] = '\0';
	if (report->failed ? !possible :
			     result->entries < 0 || result->bytes < 0 || result->sockets < 0 ||
				     result->attributes < 0 || result->kernel < 0 ||
				     result->changed < 0 || result->vanished < 0 ||
				     (result->diff_id[0] && !digest_is_hex(result->diff_id)))
		return err_set(err, ERR_INVALID, EPROTO, "the pack stage sent nonsense");
	return 0;
}

int pack_finish(struct pack *pack, struct pack_result *out, struct err *err)
{
	struct pack_report report;
	int r = stage_report_take("pack", pack->report_fd, &pack->stage, &report, sizeof(report),
				  err);

	if (r == 0)
		r = pack_report_check(&report, err);
	if (r < 0)
		return r;
	if (report.failed) {
		*err = report.err;
		return err_code(err);
	}
	if (pack->diff_id[0]) {
		r = verify_check(pack->diff_id, report.result.diff_id, err);
		if (r < 0)
			return r;
	}
	*out = report.result;
	pack_abort(pack);
	return 0;
}

int pack_explain(struct pack *pack, int r, struct err *err)
{
	struct err why = ERR_INIT;
	struct pack_result ignored;

	if (pack->stage.pid == 0 || r == -EINTR) {
		pack_abort(pack);
		return r;
	}
	/* A stage that still writes ends with this, by SIGPIPE. */
	cleanup_close(&pack->fd);
	if (pack_finish(pack, &ignored, &why) < 0 && why.num != EPIPE)
		*err = why;
	pack_abort(pack);
	return err_code(err);
}
