/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/exec_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"

/* More than the kernel takes as arguments and environment, execve(2). */
#define REQUEST_MAX (8u << 20)

/* Followed by the arguments, the environment, cwd and user, each ended by a NUL; "" for none. */
struct header {
	uint32_t nargs, nenv;
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

static void add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void add_texts(struct buf *buf, char *const *v)
{
	for (; v && *v; v++)
		add_text(buf, *v);
}

int exec_request_write(const struct exec_request *request, int *fd, struct err *err)
{
	const struct header header = {
		.nargs = (uint32_t)strv_len(request->args),
		.nenv = (uint32_t)strv_len(request->env),
		.rows = request->rows,
		.cols = request->cols,
		.tty = request->tty,
		.open_stdin = request->open_stdin,
		.detach = request->detach,
		.privileged = request->privileged,
	};
	AUTO_BUF struct buf buf = BUF_INIT;

	buf_add(&buf, &header, sizeof(header));
	add_texts(&buf, request->args);
	add_texts(&buf, request->env);
	add_text(&buf, request->cwd);
	add_text(&buf, request->user);
	if (buf_failed(&buf))
		return err_sys(err, ENOMEM, "cannot pass the command on");
	return fd_from_memory("cman-exec", buf.data, buf.len, fd, err);
}

/* The next text of what is left, or NULL. */
static const char *take_text(const char **at, const char *end)
{
	const char *text = *at;
	const char *nul = memchr(text, '\0', (size_t)(end - text));

	if (!nul)
		return NULL;
	*at = nul + 1;
	return text;
}

static int take_texts(uint32_t n, const char **at, const char *end, char ***out)
{
	for (uint32_t i = 0; i < n; i++) {
		const char *text = take_text(at, end);

		if (!text || strv_add(out, text) < 0)
			return -1;
	}
	return 0;
}

static int take_optional(const char **at, const char *end, char **out)
{
	const char *text = take_text(at, end);

	if (!text)
		return -1;
	if (*text)
		*out = strdup(text);
	return *text && !*out ? -1 : 0;
}

int exec_request_read(int fd, struct exec_request *out, struct err *err)
{
	AUTO_EXEC_REQUEST struct exec_request request = EXEC_REQUEST_INIT;
	AUTO_FREE char *text = NULL;
	struct header header;
	const char *at, *end;
	size_t len;
	int rc = fd_read_open_file(fd, "the command", REQUEST_MAX, &text, &len, err);

	if (rc < 0)
		return rc;
	if (len < sizeof(header))
		return err_set(err, ERR_INVALID, EPROTO, "the command was not passed on whole");
	memcpy(&header, text, sizeof(header));
	at = text + sizeof(header);
	end = text + len;
	if (take_texts(header.nargs, &at, end, &request.args) < 0 ||
	    take_texts(header.nenv, &at, end, &request.env) < 0 ||
	    take_optional(&at, end, &request.cwd) < 0 ||
	    take_optional(&at, end, &request.user) < 0 || !request.args)
		return err_set(err, ERR_INVALID, EPROTO, "the command was not passed on whole");
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
