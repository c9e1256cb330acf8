/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_LINES_H
#define CMAN_MANAGER_MONITOR_LINES_H

/*
 * Bytes → log records. A stream of bytes is cut at newlines; a line longer than LINES_MAX is cut
 * into parts, all but the last marked partial. Nothing is lost or invented: joining the records,
 * with a newline after each that is not partial, gives the bytes back exactly. So a last line
 * without its newline is a partial record that nothing follows.
 */

#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/logs.h"

#define LINES_MAX 16384 /* bytes of text in one record, as Docker's */

struct lines {
	enum log_stream stream;
	char *held; /* the beginning of a line whose end has not come; LINES_MAX bytes, or NULL */
	size_t len; /* of `held` that are used */
	int64_t held_ns; /* when the last of them came */
};

#define LINES_INIT(which)         \
	{                         \
		.stream = (which) \
	}
void lines_release(struct lines *lines);

/* Gets each record; its seq is 0, its text is valid during the call. Returns 0 or -errno. */
typedef int lines_sink(const struct log_record *record, void *data, struct err *err);

/*
 * Take `len` bytes that were read at `now_ns`. Fails with -ENOMEM and with what the sink returns.
 */
int lines_feed(struct lines *lines, const char *bytes, size_t len, int64_t now_ns, lines_sink *sink,
	       void *data, struct err *err);

/*
 * Give the beginning of an unfinished line out as a partial record: at the end of the stream, and
 * when it has waited so long that somebody may be reading it (a prompt). No unfinished line:
 * nothing.
 */
int lines_flush(struct lines *lines, lines_sink *sink, void *data, struct err *err);

#endif
