/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/progress_view.h"

#include <string.h>

#include "manager/cmd/human.h"
#include "manager/cmd/text.h"
#include "store/base/clock.h"

#define RATE_PAUSE_NS 400000000 /* a shorter span tells little */
#define RATE_WEIGHT 0.3		/* of the newest span */
#define MAX_BAR 30
#define MIN_BAR 8
#define TEXT_WIDTH 67 /* what stands beside the bar, at most */

const char *progress_state_name(enum layer_state state)
{
	static const char *const names[] = {
		[LAYER_WAITING] = "waiting",	     [LAYER_ELSEWHERE] = "elsewhere",
		[LAYER_DOWNLOADING] = "downloading", [LAYER_UPLOADING] = "uploading",
		[LAYER_UNPACKING] = "unpacking",     [LAYER_DONE] = "done",
		[LAYER_EXISTS] = "exists",
	};

	return names[state];
}

static bool is_moving(const struct progress_layer *layer)
{
	return layer->known && (layer->state == LAYER_DOWNLOADING ||
				layer->state == LAYER_UPLOADING || layer->state == LAYER_UNPACKING);
}

bool progress_view_take(struct progress_view *view, const struct layer_progress *layer, int64_t now)
{
	struct progress_layer *mine;
	bool changed;

	view->count = layer->count;
	if (layer->index >= PROGRESS_MAX_LAYERS)
		return false;
	mine = &view->layers[layer->index];
	changed = !mine->known || mine->state != layer->state || strcmp(mine->id, layer->id) != 0;
	/* It begins, begins anew, or goes on from what an earlier attempt has left. */
	if (!is_moving(mine) || strcmp(mine->id, layer->id) != 0 || layer->done < mine->done ||
	    mine->done == 0) {
		mine->started_ns = mine->rate_ns = mine->shown_ns = now;
		mine->first = mine->rate_done = layer->done;
		mine->rate = 0;
	}
	mine->known = true;
	memcpy(mine->id, layer->id, sizeof(mine->id));
	mine->state = layer->state;
	mine->done = layer->done;
	mine->total = layer->total;
	return changed;
}

/* --- amounts --- */

static void update_rate(struct progress_layer *layer, int64_t now)
{
	double seconds = (double)(now - layer->rate_ns) / NS_PER_S;
	double rate;

	if (now - layer->rate_ns < RATE_PAUSE_NS)
		return;
	rate = (double)(layer->done - layer->rate_done) / seconds;
	layer->rate = layer->rate > 0 ? layer->rate * (1 - RATE_WEIGHT) + rate * RATE_WEIGHT : rate;
	layer->rate_ns = now;
	layer->rate_done = layer->done;
}

static void add_left(struct buf *out, double rate, int64_t left)
{
	char text[HUMAN_MAX];
	int64_t seconds;

	if (rate < 1)
		return;
	human_size((int64_t)rate, text);
	buf_addf(out, "  %s/s", text);
	if (left <= 0)
		return;
	seconds = (int64_t)((double)left / rate + 0.5);
	if (seconds < 100)
		buf_addf(out, "  %d s left", (int)seconds);
	else if (seconds < 100 * 60)
		buf_addf(out, "  %d min left", (int)(seconds / 60));
	else
		buf_addf(out, "  %lld h left", (long long)seconds / 3600);
}

static void add_size(struct buf *out, int64_t done, int64_t total)
{
	char have[HUMAN_MAX], all[HUMAN_MAX];

	human_size(done, have);
	if (total <= 0) {
		buf_addstr(out, have);
		return;
	}
	human_size(total, all);
	buf_addf(out, "%3d%%  %s of %s", (int)((double)done / (double)total * 100), have, all);
}

void progress_view_amount(struct progress_layer *layer, int64_t now, struct buf *out)
{
	update_rate(layer, now);
	add_size(out, layer->done, layer->total);
	add_left(out, layer->rate, layer->total > 0 ? layer->total - layer->done : 0);
}

/* --- lines --- */

static void add_bar(struct buf *line, int width, int64_t done, int64_t total)
{
	int filled = (int)((double)done / (double)total * width);

	buf_addch(line, '[');
	for (int i = 0; i < width; i++)
		buf_addch(line, i < filled ? '=' : i == filled ? '>' : ' ');
	buf_addstr(line, "]  ");
}

static void draw_layer(struct progress_layer *layer, int width, int64_t now, struct buf *line)
{
	int bar = width - TEXT_WIDTH < MAX_BAR ? width - TEXT_WIDTH : MAX_BAR;

	if (layer->id[0])
		buf_addf(line, "%s  ", layer->id);
	if (layer->state == LAYER_UNPACKING) {
		buf_addstr(line, "unpacking");
		return;
	}
	if (bar >= MIN_BAR && layer->total > 0 && layer->done <= layer->total)
		add_bar(line, bar, layer->done, layer->total);
	progress_view_amount(layer, now, line);
}

/* "5 of 8 layers are here, 1 elsewhere, 2 waiting  120 MB of 600 MB  45 MB/s  11 s left" */
static void draw_rest(const struct progress_view *view, struct buf *line)
{
	size_t here = 0, elsewhere = 0, waiting = 0;
	int64_t done = 0, total = 0;
	double rate = 0;

	for (size_t i = 0; i < view->count && i < PROGRESS_MAX_LAYERS; i++) {
		const struct progress_layer *layer = &view->layers[i];

		here += layer->state == LAYER_DONE || layer->state == LAYER_EXISTS;
		elsewhere += layer->state == LAYER_ELSEWHERE;
		waiting += layer->known && layer->state == LAYER_WAITING;
		if (layer->state == LAYER_EXISTS || !layer->known)
			continue;
		done += layer->done;
		total += layer->total > 0 ? layer->total : 0;
		if (is_moving(layer))
			rate += layer->rate;
	}
	buf_addf(line, "%zu of %zu layers", here, view->count);
	if (elsewhere > 0)
		buf_addf(line, ", %zu coming to another cman", elsewhere);
	if (waiting > 0)
		buf_addf(line, ", %zu waiting", waiting);
	buf_addstr(line, "  ");
	add_size(line, done, total);
	add_left(line, rate, total - done);
}

/* A line that is no wider than the terminal, lest it be broken. */
static void put_line(struct progress_view *view, const struct buf *line, int width, struct buf *out)
{
	const char *text = line->data ? line->data : "";
	size_t len = text_fit(text, line->len, width > 1 ? (size_t)width - 1 : 1);

	buf_add(out, text, len);
	buf_addch(out, '\n');
	view->widths[view->lines++] = text_width(text, len);
}

void progress_view_erase(struct progress_view *view, int width, struct buf *out)
{
	size_t rows = 0;

	for (size_t i = 0; i < view->lines; i++) {
		size_t columns = width > 0 ? (size_t)width : 80;

		rows += view->widths[i] > columns ? (view->widths[i] + columns - 1) / columns : 1;
	}
	if (rows > 0)
		buf_addf(out, "\r\033[%zuA\033[J", rows);
	view->lines = 0;
}

void progress_view_draw(struct progress_view *view, int width, int height, int64_t now,
			struct buf *out)
{
	/* The rest has a line, too, and the cursor is on the one below. */
	size_t room = height > 2 ? (size_t)height - 2 : view->count <= 1;
	size_t n = view->count < PROGRESS_MAX_LAYERS ? view->count : PROGRESS_MAX_LAYERS;

	progress_view_erase(view, width, out);
	view->drawn_ns = now;
	for (size_t i = 0; i < n && view->lines < room; i++) {
		AUTO_BUF struct buf line = BUF_INIT;

		if (!is_moving(&view->layers[i]))
			continue;
		draw_layer(&view->layers[i], width, now, &line);
		put_line(view, &line, width, out);
	}
	if (view->count > 1) {
		AUTO_BUF struct buf line = BUF_INIT;

		draw_rest(view, &line);
		put_line(view, &line, width, out);
	}
}
