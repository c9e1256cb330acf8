/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "manager/cmd/format.h"
#include "manager/cmd/human.h"
#include "manager/cmd/text.h"
#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/fd.h"

#define DRAW_PAUSE_NS (NS_PER_S / 10)
#define LINE_PAUSE_NS (10 * NS_PER_S)
#define DEFAULT_HEIGHT 24

int progress_mode_parse(const char *value, enum progress_mode *out, struct err *err)
{
	static const char *const names[] = {
		[PROGRESS_AUTO] = "auto",
		[PROGRESS_PLAIN] = "plain",
		[PROGRESS_JSON] = "json",
		[PROGRESS_NONE] = "none",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			*out = (enum progress_mode)i;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE, EINVAL, "--progress: not one of " PROGRESS_MODES ": %s",
		       value);
}

/* Where stderr cannot be written there is nobody left to tell. */
static void put(const struct buf *text)
{
	if (!buf_failed(text) && text->len > 0)
		fd_write_all(STDERR_FILENO, text->data, text->len);
}

static int height_of_terminal(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row :
										 DEFAULT_HEIGHT;
}

static void draw(struct progress *progress, int64_t now, struct buf *out)
{
	progress_view_draw(&progress->view, format_terminal_width(STDERR_FILENO),
			   height_of_terminal(), now, out);
}

/* --- steps --- */

static void add_step(struct progress *progress, const char *text, struct buf *out)
{
	if (progress->mode == PROGRESS_JSON) {
		buf_addstr(out, "{\"type\":\"step\",\"text\":");
		text_add_json(out, text, strlen(text));
		buf_addstr(out, "}\n");
		return;
	}
	if (progress->terminal)
		progress_view_erase(&progress->view, format_terminal_width(STDERR_FILENO), out);
	buf_add_escaped(out, text, strlen(text));
	buf_addch(out, '\n');
}

static void on_step(const char *text, void *data)
{
	struct progress *progress = data;
	AUTO_BUF struct buf out = BUF_INIT;
	bool drawn;

	if (progress->mode == PROGRESS_NONE)
		return;
	pthread_mutex_lock(&progress->lock);
	drawn = progress->view.lines > 0;
	add_step(progress, text, &out);
	if (drawn)
		draw(progress, clock_monotonic_ns(), &out);
	put(&out);
	pthread_mutex_unlock(&progress->lock);
}

/* --- layers --- */

static void add_object(const struct layer_progress *layer, struct buf *out)
{
	buf_addstr(out, "{\"type\":\"layer\",\"id\":");
	text_add_json(out, layer->id, strlen(layer->id));
	buf_addf(out,
		 ",\"index\":%zu,\"layers\":%zu,\"state\":\"%s\",\"done\":%" PRId64 ",\"total\":",
		 layer->index, layer->count, progress_state_name(layer->state), layer->done);
	if (layer->total >= 0)
		buf_addf(out, "%" PRId64 "}\n", layer->total);
	else
		buf_addstr(out, "null}\n");
}

static bool is_there(enum layer_state state)
{
	return state == LAYER_DONE || state == LAYER_EXISTS;
}

static void add_line(struct progress_layer *layer, int64_t now, struct buf *out)
{
	char size[HUMAN_MAX];

	if (layer->id[0])
		buf_addf(out, "layer %s: ", layer->id);
	human_size(layer->total, size);
	if (layer->state == LAYER_EXISTS)
		buf_addstr(out, "exists");
	else if (layer->state == LAYER_DONE)
		buf_addf(out, "%s in %.1f s", size, (double)(now - layer->started_ns) / NS_PER_S);
	else
		progress_view_amount(layer, now, out);
	buf_addch(out, '\n');
}

/* Whether it is time for a line: at the end of a layer, and while one takes long. */
static bool wants_line(struct progress *progress, struct progress_layer *layer, bool changed,
		       int64_t now)
{
	int64_t pause = progress->mode == PROGRESS_JSON ? DRAW_PAUSE_NS : LINE_PAUSE_NS;

	if (changed && (is_there(layer->state) || progress->mode == PROGRESS_JSON))
		return true;
	if (is_there(layer->state) || now - layer->shown_ns < pause)
		return false;
	layer->shown_ns = now;
	return layer->state != LAYER_WAITING && layer->state != LAYER_ELSEWHERE;
}

static void on_layer(const struct layer_progress *layer, void *data)
{
	struct progress *progress = data;
	AUTO_BUF struct buf out = BUF_INIT;
	int64_t now = clock_monotonic_ns();
	bool changed;

	if (progress->mode == PROGRESS_NONE || layer->index >= PROGRESS_MAX_LAYERS)
		return;
	pthread_mutex_lock(&progress->lock);
	changed = progress_view_take(&progress->view, layer, now);
	if (progress->terminal) {
		/* Also at the end of each: nothing may come after the last one for a while. */
		if (now - progress->view.drawn_ns >= DRAW_PAUSE_NS ||
		    (changed && layer->state == LAYER_DONE))
			draw(progress, now, &out);
	} else if (wants_line(progress, &progress->view.layers[layer->index], changed, now)) {
		if (progress->mode == PROGRESS_JSON)
			add_object(layer, &out);
		else
			add_line(&progress->view.layers[layer->index], now, &out);
	}
	put(&out);
	pthread_mutex_unlock(&progress->lock);
}

/* A terminal that lines can be drawn anew on. */
static bool can_draw(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) == 1 && !(term && strcmp(term, "dumb") == 0);
}

void progress_begin(struct progress *progress, enum progress_mode mode)
{
	*progress = (struct progress){
		.ui = { on_step, on_layer, progress },
		.mode = mode,
		.terminal = mode == PROGRESS_AUTO && can_draw(),
		/* What is done within a moment is not drawn at all. */
		.view.drawn_ns = clock_monotonic_ns(),
	};
	pthread_mutex_init(&progress->lock, NULL);
}

void progress_end(struct progress *progress)
{
	AUTO_BUF struct buf out = BUF_INIT;

	progress_view_erase(&progress->view, format_terminal_width(STDERR_FILENO), &out);
	put(&out);
	pthread_mutex_destroy(&progress->lock);
}
