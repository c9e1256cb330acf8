/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define PIECE_SIZE (256u << 10)

void output_abort(struct output *output)
{
	if (output->temporary)
		(void)unlink(output->temporary);
	free(output->temporary);
	if (output->path)
		cleanup_close(&output->fd);
	*output = (struct output)OUTPUT_INIT;
}

static int open_stdout(struct output *output, const char *command, struct err *err)
{
	if (isatty(STDOUT_FILENO)) {
		err_set(err, ERR_USAGE, EINVAL, "%s: an archive is nothing for a terminal",
			command);
		return err_hint(err, "redirect it, or name a file: -o FILE");
	}
	output->fd = STDOUT_FILENO;
	return 0;
}

/* mkstemp(3) gives 0600; what is exported is as open as any file that is made. */
static int set_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask);
}

int output_open(struct output *output, const char *path, const char *command, struct err *err)
{
	struct stat st;

	*output = (struct output)OUTPUT_INIT;
	if (!path || strcmp(path, "-") == 0)
		return open_stdout(output, command, err);
	output->path = path;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		output->fd = open(path, O_WRONLY | O_CLOEXEC);
		return output->fd < 0 ? err_sys(err, errno, "cannot open %s", path) : 0;
	}
	if (asprintf(&output->temporary, "%s.XXXXXX", path) < 0) {
		output->temporary = NULL;
		return err_sys(err, ENOMEM, "cannot create %s", path);
	}
	output->fd = mkostemp(output->temporary, O_CLOEXEC);
	if (output->fd >= 0 && set_mode(output->fd) == 0)
		return 0;
	err_sys(err, errno, "cannot create %s", path);
	if (output->fd < 0)
		free(STEAL_PTR(output->temporary));
	output_abort(output);
	return err_code(err);
}

/*
 * Whoever reads a pipe may be slow, and an interruption has to be seen all the same: a page is
 * taken without waiting once poll(2) says so.
 */
static int write_piece(const struct output *output, const char *piece, size_t len,
		       const struct interrupt *interrupt, struct err *err)
{
	size_t most = output->temporary ? len : PIPE_BUF;
	int r = 0;

	while (len > 0 && r == 0) {
		size_t n = len < most ? len : most;

		r = output->temporary ? 0 : interrupt_poll(interrupt, output->fd, POLLOUT, -1, err);
		if (r < 0)
			return r;
		r = fd_write_all(output->fd, piece, n);
		piece += n;
		len -= n;
	}
	return r < 0 ? err_sys(err, -r, "cannot write %s",
			       output->path ? output->path : "the archive") :
		       0;
}

int output_copy(struct output *output, int from, const struct interrupt *interrupt, struct err *err)
{
	AUTO_FREE char *piece = malloc(PIECE_SIZE);
	ssize_t n = 1;

	if (!piece)
		return err_sys(err, ENOMEM, "cannot copy the archive");
	while (n > 0) {
		int r = interrupt_poll(interrupt, from, POLLIN, -1, err);

		if (r < 0)
			return r;
		n = read(from, piece, PIECE_SIZE);
		if (n < 0)
			return err_sys(err, errno, "cannot read the archive");
		r = write_piece(output, piece, (size_t)n, interrupt, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int output_finish(struct output *output, struct err *err)
{
	/* Some file systems tell only now that there was no space. */
	if (output->path && close(STEAL_FD(output->fd)) < 0)
		return err_sys(err, errno, "cannot write %s", output->path);
	if (output->temporary && rename(output->temporary, output->path) < 0)
		return err_sys(err, errno, "cannot create %s", output->path);
	free(STEAL_PTR(output->temporary));
	return 0;
}
