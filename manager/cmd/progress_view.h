/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_PROGRESS_VIEW_H
#define CMAN_MANAGER_CMD_PROGRESS_VIEW_H

/* What is known of layers that move, and how that looks. Pure: nothing is printed here. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/pull_ui.h"
#include "store/base/buf.h"

#define PROGRESS_MAX_LAYERS 128 /* more are not shown */

struct progress_layer {
	bool known;
	char id[LAYER_ID_MAX];
	enum layer_state state;
	int64_t done, total;
	int64_t shown_ns; /* when a line told of it, where lines are told */
	int64_t started_ns;
	int64_t first; /* bytes that were there then */
	/* The rate, and what it was taken from last. */
	double rate; /* bytes a second; 0: not known yet */
	int64_t rate_done, rate_ns;
};

struct progress_view {
	struct progress_layer layers[PROGRESS_MAX_LAYERS];
	size_t count; /* of the image, whether they are known or not */
	int64_t drawn_ns;
	size_t lines;				/* that are drawn */
	size_t widths[PROGRESS_MAX_LAYERS + 1]; /* of these, in columns */
};

/* Take note. Returns whether the state has changed. Nanoseconds of CLOCK_MONOTONIC. */
bool progress_view_take(struct progress_view *view, const struct layer_progress *layer,
			int64_t now);

/*
 * Add what makes the drawn lines vanish, the cursor where the first of them began. A terminal that
 * was made narrower since has broken them: `width` is what it has now.
 */
void progress_view_erase(struct progress_view *view, int width, struct buf *out);

/* Add the lines for a terminal of this size in columns and lines; drawn ones are erased first. */
void progress_view_draw(struct progress_view *view, int width, int height, int64_t now,
			struct buf *out);

/* Add "34%  23.4 MB of 69 MB  12 MB/s  4 s left". */
void progress_view_amount(struct progress_layer *layer, int64_t now, struct buf *out);

/* "downloading", … */
const char *progress_state_name(enum layer_state state);

#endif
