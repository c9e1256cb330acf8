/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PULL_UI_H
#define CMAN_IMAGE_PULL_UI_H

/*
 * What somebody watches while layers move: a pull, a push, a load. The callbacks are called from
 * any thread of the process, also from several at once: they lock, and touch neither a database nor
 * jansson.
 */

#include <stddef.h>
#include <stdint.h>

enum layer_state {
	LAYER_WAITING,
	LAYER_ELSEWHERE, /* another process is downloading it: its result will be used */
	LAYER_DOWNLOADING,
	LAYER_UPLOADING,
	LAYER_UNPACKING, /* its last byte has come; the tree is being finished */
	LAYER_DONE,
	LAYER_EXISTS, /* nothing had to be moved */
};

#define LAYER_ID_MAX 20

struct layer_progress {
	size_t index;	       /* from 0, bottom first */
	size_t count;	       /* of all layers of this image; 1 for an archive of its own */
	char id[LAYER_ID_MAX]; /* the first digits of its digest, or "" */
	enum layer_state state;
	int64_t done;  /* bytes that are there, those of an earlier attempt among them */
	int64_t total; /* -1: not known */
};

/* Any member may be NULL. */
struct pull_ui {
	/* One line: "fetching https://…", "…: connection refused; trying again in 2 s". Not escaped. */
	void (*step)(const char *text, void *data);
	/* At every change of state, and with every piece that comes: whoever draws decides when. */
	void (*layer)(const struct layer_progress *layer, void *data);
	void *data;
};

void pull_ui_step(const struct pull_ui *ui, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void pull_ui_layer(const struct pull_ui *ui, const struct layer_progress *layer);

#endif
