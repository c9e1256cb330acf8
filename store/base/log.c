/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/fd.h"

static enum log_level current_level = LOG_WARN;

void log_set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log_get_level(void)
{
	return current_level;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {
		[LOG_ERROR] = "error",
		[LOG_WARN] = "warning",
		[LOG_INFO] = "info",
		[LOG_DEBUG] = "debug",
	};
	AUTO_BUF struct buf line = BUF_INIT;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_addf(&line, "cman: %s: ", names[level]);
	buf_add_escaped(&line, text, strlen(text));
	buf_addch(&line, '\n');
	/* A trace that cannot be written has nowhere to be reported. */
	if (!buf_failed(&line))
		(void)fd_write_all(STDERR_FILENO, line.data, line.len);
}
