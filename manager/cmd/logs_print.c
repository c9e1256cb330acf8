/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/logs_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/logs_time.h"
#include "store/base/fd.h"

#define BUFFER_BYTES ((size_t)64 << 10)
#define ESCAPE '\x1b'

/* Colours that can be told apart and read on light and dark: cyan, yellow, green, magenta, blue. */
static const char *const name_colours[] = { "36", "33", "32", "35", "34" };

/* As no-color.org has it; a terminal that knows nothing (Emacs, some consoles) shows the codes. */
static bool wants_colours(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

void logs_print_init(struct logs_print *print, bool timestamps, int name_width)
{
	*print = (struct logs_print){
		.timestamps = timestamps,
		.name_width = name_width,
		.colours = wants_colours(),
		.out = { .fd = STDOUT_FILENO, .terminal = isatty(STDOUT_FILENO) },
		.err = { .fd = STDERR_FILENO, .terminal = isatty(STDERR_FILENO) },
	};
}

void logs_print_release(struct logs_print *print)
{
	buf_release(&print->out.buf);
	buf_release(&print->err.buf);
}

static int flush_stream(struct logs_stream *stream, struct err *err)
{
	int rc;

	if (buf_failed(&stream->buf))
		return err_sys(err, ENOMEM, "cannot print the log");
	if (stream->buf.len == 0)
		return 0;
	rc = fd_write_all(stream->fd, stream->buf.data, stream->buf.len);
	buf_reset(&stream->buf);
	return rc < 0 ? err_sys(err, -rc, "cannot write to %s",
				stream->fd == STDOUT_FILENO ? "stdout" : "stderr") :
			0;
}

/* Bytes of a sequence that only changes colours (ECMA-48, SGR) at the beginning of `text`, or 0. */
static size_t colour_sequence(const char *text, size_t len)
{
	size_t i = 2;

	if (len < 3 || text[0] != ESCAPE || text[1] != '[')
		return 0;
	while (i < len && ((text[i] >= '0' && text[i] <= '9') || text[i] == ';' || text[i] == ':'))
		i++;
	return i < len && text[i] == 'm' ? i + 1 : 0;
}

void logs_print_safe(struct buf *buf, const char *text, size_t len, bool *coloured)
{
	size_t plain = 0; /* begin of what was not added yet */
	size_t i = 0;

	while (i < len) {
		size_t pass = 0;

		if (text[i] == ESCAPE) {
			pass = colour_sequence(text + i, len - i);
			*coloured = *coloured || pass > 0;
		} else if (text[i] == '\t' || (text[i] == '\r' && i + 1 == len)) {
			pass = 1; /* the end of a line from a terminal is "\r\n" */
		}
		if (pass == 0) {
			i++;
			continue;
		}
		buf_add_escaped(buf, text + plain, i - plain);
		buf_add(buf, text + i, pass);
		i += pass;
		plain = i;
	}
	buf_add_escaped(buf, text + plain, len - plain);
}

static int print_gap(struct logs_print *print, const struct logs_speaker *speaker, size_t count,
		     struct err *err)
{
	struct buf *buf = &print->err.buf;

	if (print->err.in_line)
		buf_addch(buf, '\n');
	print->err.in_line = NULL;
	buf_addf(buf, "cman: %s: %zu records were dropped here\n", speaker->name, count);
	return flush_stream(&print->err, err);
}

/* What stands before the text of a line. */
static void begin_line(struct logs_print *print, struct logs_stream *stream,
		       const struct logs_speaker *speaker, const struct log_record *record)
{
	static const int ncolours = sizeof(name_colours) / sizeof(name_colours[0]);
	char time[LOGS_TIME_MAX];

	if (print->name_width > 0 && stream->terminal && print->colours)
		buf_addf(&stream->buf, "\x1b[%sm%-*s |\x1b[m ",
			 name_colours[speaker->colour % ncolours], print->name_width,
			 speaker->name);
	else if (print->name_width > 0)
		buf_addf(&stream->buf, "%-*s | ", print->name_width, speaker->name);
	if (print->timestamps) {
		logs_time_print(record->time_ns, time);
		buf_addf(&stream->buf, "%s ", time);
	}
}

int logs_print_record(struct logs_print *print, const struct logs_speaker *speaker,
		      const struct log_record *record, struct err *err)
{
	bool is_out = record->stream == LOG_STDOUT;
	struct logs_stream *stream = is_out ? &print->out : &print->err;
	struct logs_stream *other = is_out ? &print->err : &print->out;
	/* Where both end up in the same place, the order of what was said is kept. */
	int rc = flush_stream(other, err);

	if (rc < 0)
		return rc;
	if (record->stream == LOG_GAP)
		return print_gap(print, speaker, record->len, err);
	/* Somebody else's line is not finished: this is none of it. */
	if (stream->in_line && stream->in_line != speaker) {
		buf_addch(&stream->buf, '\n');
		stream->in_line = NULL;
	}
	if (!stream->in_line)
		begin_line(print, stream, speaker, record);
	if (stream->terminal)
		logs_print_safe(&stream->buf, record->text, record->len, &stream->coloured);
	else
		buf_add(&stream->buf, record->text, record->len);
	if (!record->partial)
		buf_addch(&stream->buf, '\n');
	stream->in_line = record->partial ? speaker : NULL;
	return stream->buf.len >= BUFFER_BYTES ? flush_stream(stream, err) : 0;
}

int logs_print_flush(struct logs_print *print, bool end, struct err *err)
{
	int rc;

	if (end && print->out.coloured)
		buf_addstr(&print->out.buf, "\x1b[m");
	if (end && print->err.coloured)
		buf_addstr(&print->err.buf, "\x1b[m");
	rc = flush_stream(&print->out, err);
	return rc < 0 ? rc : flush_stream(&print->err, err);
}
