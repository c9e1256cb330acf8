/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lines_release(struct lines *lines)
{
	free(lines->held);
	lines->held = NULL;
	lines->len = 0;
}

static int emit(const struct lines *lines, const char *text, size_t len, bool partial,
		int64_t now_ns, lines_sink *sink, void *data, struct err *err)
{
	struct log_record record = {
		.time_ns = now_ns,
		.stream = lines->stream,
		.partial = partial,
		.text = text,
		.len = len,
	};

	return sink(&record, data, err);
}

static int hold(struct lines *lines, const char *bytes, size_t len, int64_t now_ns, struct err *err)
{
	if (!lines->held) {
		lines->held = malloc(LINES_MAX);
		if (!lines->held)
			return err_sys(err, ENOMEM, "cannot keep a line of output");
	}
	memcpy(lines->held + lines->len, bytes, len);
	lines->len += len;
	lines->held_ns = now_ns;
	return 0;
}

/*
 * `bytes` holds the rest of one line (`ended`: a newline followed), or all there is of it so far.
 */
static int take_line(struct lines *lines, const char *bytes, size_t len, bool ended, int64_t now_ns,
		     lines_sink *sink, void *data, struct err *err)
{
	while (lines->len + len > LINES_MAX) {
		size_t part = LINES_MAX - lines->len;
		int rc;

		if (lines->len == 0) {
			rc = emit(lines, bytes, part, true, now_ns, sink, data, err);
		} else {
			rc = hold(lines, bytes, part, now_ns, err);
			if (rc == 0)
				rc = lines_flush(lines, sink, data, err);
		}
		if (rc < 0)
			return rc;
		bytes += part;
		len -= part;
	}
	if (!ended)
		return len > 0 ? hold(lines, bytes, len, now_ns, err) : 0;
	if (lines->len == 0)
		return emit(lines, bytes, len, false, now_ns, sink, data, err);

	int rc = hold(lines, bytes, len, now_ns, err);

	if (rc < 0)
		return rc;
	len = lines->len;
	lines->len = 0;
	return emit(lines, lines->held, len, false, now_ns, sink, data, err);
}

int lines_feed(struct lines *lines, const char *bytes, size_t len, int64_t now_ns, lines_sink *sink,
	       void *data, struct err *err)
{
	while (len > 0) {
		const char *newline = memchr(bytes, '\n', len);
		size_t line = newline ? (size_t)(newline - bytes) : len;
		int rc = take_line(lines, bytes, line, newline, now_ns, sink, data, err);

		if (rc < 0)
			return rc;
		if (newline)
			line++;
		bytes += line;
		len -= line;
	}
	return 0;
}

int lines_flush(struct lines *lines, lines_sink *sink, void *data, struct err *err)
{
	size_t len = lines->len;

	if (len == 0)
		return 0;
	lines->len = 0;
	return emit(lines, lines->held, len, true, lines->held_ns, sink, data, err);
}
