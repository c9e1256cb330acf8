/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/progress.h"

#include <string.h>
#include <unistd.h>

#include "manager/cmd/format.h"
#include "manager/cmd/human.h"
#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/fd.h"

#define SECOND_NS 1000000000LL
#define BAR_PAUSE_NS (SECOND_NS / 10)
#define LINE_PAUSE_NS (10 * SECOND_NS)
#define MAX_BAR 40
#define TEXT_WIDTH 44 /* what stands beside the bar */
#define CLEAR_LINE "\r\033[K"

void progress_begin(struct progress *progress, bool quiet)
{
	int64_t now = clock_now_ns();

	*progress = (struct progress){
		.quiet = quiet,
		.terminal = isatty(STDERR_FILENO) == 1,
		.started_ns = now,
		.shown_ns = now,
		.first = -1,
	};
}

/* Where stderr cannot be written there is nobody left to tell. */
static void put(struct buf *text)
{
	if (!buf_failed(text))
		fd_write_all(STDERR_FILENO, text->data, text->len);
	buf_release(text);
}

void progress_end(struct progress *progress)
{
	if (progress->drawn)
		fd_write_all(STDERR_FILENO, CLEAR_LINE, strlen(CLEAR_LINE));
	progress->drawn = false;
}

void progress_line(struct progress *progress, const char *text)
{
	struct buf line = BUF_INIT;

	if (progress->quiet)
		return;
	progress_end(progress);
	buf_add_escaped(&line, text, strlen(text));
	buf_addch(&line, '\n');
	put(&line);
}

static void add_bar(struct buf *line, int64_t done, int64_t total)
{
	int width = format_terminal_width(STDERR_FILENO) - TEXT_WIDTH;
	int filled;

	if (width > MAX_BAR)
		width = MAX_BAR;
	if (width < 10)
		return;
	filled = (int)((double)done / (double)total * width);
	buf_addch(line, '[');
	for (int i = 0; i < width; i++)
		buf_addch(line, i < filled ? '=' : i == filled ? '>' : ' ');
	buf_addstr(line, "] ");
}

/* "34%  23.4 MB of 69 MB  12 MB/s" */
static void add_text(struct buf *line, const struct progress *progress, int64_t now, int64_t done,
		     int64_t total)
{
	char have[HUMAN_MAX], all[HUMAN_MAX], rate[HUMAN_MAX];
	double seconds = (double)(now - progress->started_ns) / SECOND_NS;

	human_size(done, have);
	if (total > 0) {
		human_size(total, all);
		buf_addf(line, "%3d%%  %s of %s", (int)((double)done / (double)total * 100), have,
			 all);
	} else {
		buf_addstr(line, have);
	}
	if (seconds >= 0.5) {
		human_size((int64_t)((double)(done - progress->first) / seconds), rate);
		buf_addf(line, "  %s/s", rate);
	}
}

void progress_update(struct progress *progress, int64_t done, int64_t total)
{
	struct buf line = BUF_INIT;
	int64_t now;

	if (progress->quiet)
		return;
	now = clock_now_ns();
	if (progress->first < 0 || done < progress->first) {
		progress->first = done;
		progress->started_ns = now;
	}
	if (now - progress->shown_ns < (progress->terminal ? BAR_PAUSE_NS : LINE_PAUSE_NS))
		return;
	progress->shown_ns = now;
	if (progress->terminal) {
		buf_addstr(&line, CLEAR_LINE);
		if (total > 0 && done <= total)
			add_bar(&line, done, total);
		progress->drawn = true;
	}
	add_text(&line, progress, now, done, total);
	if (!progress->terminal)
		buf_addch(&line, '\n');
	put(&line);
}
