/* SPDX-License-Identifier: Apache-2.0 */
#include "image/copy_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define STACK_BYTES (512u << 10)
#define PIPE_BYTES (256 << 10)

static int64_t resume(const char **validator, void *data)
{
	const struct copy_pipe *pipe = data;

	/* The same digest, the same bytes, from whatever server. */
	*validator = "";
	return pipe->offset;
}

/* What went through the pipe is gone: it can only be gone on with. */
static int begin(int64_t offset, int64_t total, const char *validator, void *data, struct err *err)
{
	const struct copy_pipe *pipe = data;

	(void)validator;
	if (offset != pipe->offset)
		return err_set(err, ERR_NETWORK, ERANGE, "the blob cannot be had from the middle");
	if (total >= 0 && total != pipe->size)
		return err_set(err, ERR_CORRUPT, EBADMSG,
			       "the blob has another size than its manifest says");
	return 0;
}

static int put(const void *bytes, size_t len, void *data, struct err *err)
{
	struct copy_pipe *pipe = data;
	int r;

	if ((int64_t)len > pipe->size - pipe->offset)
		return err_set(err, ERR_CORRUPT, EFBIG,
			       "the blob has more bytes than its manifest says");
	r = fd_write_all(pipe->out, bytes, len);
	if (r < 0)
		return err_sys(err, -r, "cannot hand on a blob");
	pipe->offset += (int64_t)len;
	return 0;
}

static void *fetch(void *data)
{
	struct copy_pipe *pipe = data;
	const struct fetch_sink sink = { resume, begin, put, pipe };

	pipe->result = registry_blob(pipe->source, pipe->digest, &sink, &pipe->err);
	cleanup_close(&pipe->out);
	return NULL;
}

int copy_pipe_open(struct copy_pipe *pipe, int64_t offset, int *fd, struct err *err)
{
	AUTO_CLOSE int in = -1;
	pthread_attr_t attr;
	int ends[2], num;
	int r = copy_pipe_end(pipe, err);

	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	in = ends[0];
	pipe->out = ends[1];
	/* Fewer changes between the two sides; it works with less. */
	(void)fcntl(in, F_SETPIPE_SZ, PIPE_BYTES);
	pipe->offset = offset;
	pipe->err = (struct err)ERR_INIT;
	num = pthread_attr_init(&attr);
	if (num == 0) {
		num = pthread_attr_setstacksize(&attr, STACK_BYTES);
		if (num == 0)
			num = pthread_create(&pipe->thread, &attr, fetch, pipe);
		pthread_attr_destroy(&attr);
	}
	if (num != 0) {
		cleanup_close(&pipe->out);
		return err_sys(err, num, "cannot start a thread");
	}
	pipe->running = true;
	*fd = STEAL_FD(in);
	return 0;
}

int copy_pipe_end(struct copy_pipe *pipe, struct err *err)
{
	if (!pipe->running)
		return 0;
	pthread_join(pipe->thread, NULL);
	pipe->running = false;
	if (pipe->result == 0 || pipe->err.num == EPIPE)
		return 0;
	*err = pipe->err;
	return pipe->result;
}
