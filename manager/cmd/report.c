/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/report.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/fd.h"

#define FILES_USUAL 1024

/*
 * What a message cannot tell by itself: that it is a limit of the kernel, or of who typed the
 * command.
 */
static const char *hint_of(const struct err *err)
{
	struct rlimit limit;

	/* of other kinds it is a limit of cman's own that the number stands for */
	if (err->hint[0] || err->kind != ERR_SYS)
		return err->hint;
	if (err->num == EMFILE && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < FILES_USUAL)
		return "raise the limit of open files: ulimit -n 1024";
	if (err->num == EFBIG && getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY)
		return "raise the limit of a file's size: ulimit -f unlimited";
	if (err->num == E2BIG)
		return "the kernel takes 128 KiB for one word or variable, and for all of them a "
		       "quarter of the stack's limit";
	return "";
}

void report_error(const struct err *err)
{
	AUTO_BUF struct buf buf = BUF_INIT;
	const char *hint = hint_of(err);

	buf_addstr(&buf, "cman: ");
	buf_add_escaped(&buf, err->text, strlen(err->text));
	buf_addch(&buf, '\n');
	if (hint[0]) {
		buf_addstr(&buf, "hint: ");
		buf_add_escaped(&buf, hint, strlen(hint));
		buf_addch(&buf, '\n');
	}
	/* Where stderr cannot be written there is nobody left to tell. */
	if (buf_failed(&buf))
		fd_write_all(STDERR_FILENO, "cman: out of memory\n", 20);
	else
		fd_write_all(STDERR_FILENO, buf.data, buf.len);
}

int report_status(const struct err *err)
{
	if (err->kind == ERR_SYS && err->num == EINTR)
		return EXIT_INTERRUPTED;
	return exit_status_of(err);
}
