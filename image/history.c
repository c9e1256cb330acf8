/* SPDX-License-Identifier: Apache-2.0 */
#include "image/history.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"

void history_release(struct history *history)
{
	free(history->steps);
	image_document_release(&history->document);
	*history = (struct history)HISTORY_INIT;
}

static int read_step(const struct flat *object, struct history_step *step, bool *empty,
		     struct err *err)
{
	int r = flat_get_string(object, "created", &step->created, err);

	if (r == 0)
		r = flat_get_string(object, "created_by", &step->created_by, err);
	if (r == 0)
		r = flat_get_string(object, "author", &step->author, err);
	if (r == 0)
		r = flat_get_string(object, "comment", &step->comment, err);
	return r < 0 ? r : flat_get_bool(object, "empty_layer", empty, err);
}

static int read_steps(const struct image_record *image, struct flat array, struct history *history,
		      struct err *err)
{
	struct flat object;
	size_t layer = 0;
	int r;

	while ((r = flat_next(&array, &object, err)) > 0) {
		struct history_step *step = &history->steps[history->nsteps];
		bool empty = false;

		if (read_step(&object, step, &empty, err) < 0)
			return err_wrap(err, "\"history\": element %zu", history->nsteps);
		if (!empty && layer < image->nlayers)
			step->layer = &image->layers[layer++];
		history->nsteps++;
	}
	if (r < 0)
		return r;
	while (layer < image->nlayers)
		history->steps[history->nsteps++].layer = &image->layers[layer++];
	return 0;
}

int history_of(const struct image_record *image, struct image_document *document,
	       struct history *out, struct err *err)
{
	AUTO_HISTORY struct history history = HISTORY_INIT;
	struct flat array = FLAT_INIT;
	size_t n = 0;
	int r = flat_get_array(&document->root, "history", &array, err);

	if (r == 0)
		r = flat_count(&array, &n, err);
	if (r == 0) {
		history.steps = calloc(n + image->nlayers + 1, sizeof(*history.steps));
		r = history.steps ? read_steps(image, array, &history, err) :
				    err_sys(err, ENOMEM, "cannot read the history");
	}
	if (r < 0)
		return err_wrap(err, "image configuration");
	history.document = *document;
	*document = (struct image_document)IMAGE_DOCUMENT_INIT;
	*out = history;
	history = (struct history)HISTORY_INIT;
	return 0;
}

int history_read(struct store *store, const struct image_record *image, struct history *out,
		 struct err *err)
{
	AUTO_IMAGE_DOCUMENT struct image_document document = IMAGE_DOCUMENT_INIT;
	int r = image_document_get(store, image->id, &document, err);

	return r < 0 ? r : history_of(image, &document, out, err);
}
