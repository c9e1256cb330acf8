/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/exec_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"
#include "store/base/texts.h"

/* More than the kernel takes as arguments and environment, execve(2). */
#define REQUEST_MAX (8u << 20)

/* Followed by the arguments, the environment, cwd and user, each ended by a NUL; "" for none. */
struct header {
	uint32_t nargs, nenv;
	int32_t log_level;
	uint16_t rows, cols;
	uint8_t tty, open_stdin, detach, privileged;
};

void exec_request_release(struct exec_request *request)
{
	strv_free(request->args);
	strv_free(request->env);
	free(request->cwd);
	free(request->user);
	*request = (struct exec_request)EXEC_REQUEST_INIT;
}

int exec_request_write(const struct exec_request *request, int *fd, struct err *err)
{
	const struct header header = {
		.nargs = (uint32_t)strv_len(request->args),
		.nenv = (uint32_t)strv_len(request->env),
		.log_level = request->log_level,
		.rows = request->rows,
		.cols = request->cols,
		.tty = request->tty,
		.open_stdin = request->open_stdin,
		.detach = request->detach,
		.privileged = request->privileged,
	};
	AUTO_BUF struct buf buf = BUF_INIT;

	buf_add(&buf, &header, sizeof(header));
	texts_add_all(&buf, request->args);
	texts_add_all(&buf, request->env);
	texts_add(&buf, request->cwd);
	texts_add(&buf, request->user);
	if (buf_failed(&buf))
		return err_sys(err, ENOMEM, "cannot pass the command on");
	return fd_from_memory("cman-exec", buf.data, buf.len, fd, err);
}

int exec_request_read(int fd, struct exec_request *out, struct err *err)
{
	AUTO_EXEC_REQUEST struct exec_request request = EXEC_REQUEST_INIT;
	AUTO_FREE char *text = NULL;
	struct header header;
	struct texts texts;
	size_t len;
	int rc = fd_read_open_file(fd, "the command", REQUEST_MAX, &text, &len, err);

	if (rc < 0)
		return rc;
	if (len < sizeof(header))
		return err_set(err, ERR_INVALID, EPROTO, "the command was not passed on whole");
	memcpy(&header, text, sizeof(header));
	texts = (struct texts){ text + sizeof(header), text + len };
	if (texts_take_all(&texts, header.nargs, &request.args) < 0 ||
	    texts_take_all(&texts, header.nenv, &request.env) < 0 ||
	    texts_take(&texts, &request.cwd) < 0 || texts_take(&texts, &request.user) < 0 ||
	    !request.args)
		return err_set(err, ERR_INVALID, EPROTO, "the command was not passed on whole");
	request.log_level = header.log_level;
	request.rows = header.rows;
	request.cols = header.cols;
	request.tty = header.tty;
	request.open_stdin = header.open_stdin;
	request.detach = header.detach;
	request.privileged = header.privileged;
	*out = request;
	request = (struct exec_request)EXEC_REQUEST_INIT;
	return 0;
}
