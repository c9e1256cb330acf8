/* SPDX-License-Identifier: Apache-2.0 */
#include "image/history.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/json.h"

void history_release(struct history *history)
{
	free(history->steps);
	json_decref(history->config);
	*history = (struct history)HISTORY_INIT;
}

static int read_step(const json_t *object, struct history_step *step, bool *empty, struct err *err)
{
	int r = json_get_string(object, "created", &step->created, err);

	if (r == 0)
		r = json_get_string(object, "created_by", &step->created_by, err);
	if (r == 0)
		r = json_get_string(object, "author", &step->author, err);
	if (r == 0)
		r = json_get_string(object, "comment", &step->comment, err);
	return r < 0 ? r : json_get_bool(object, "empty_layer", empty, err);
}

static int read_steps(const struct image_record *image, struct history *history, struct err *err)
{
	json_t *array = NULL;
	size_t n, layer = 0;
	int r = json_get_array(history->config, "history", &array, err);

	if (r < 0)
		return r;
	n = json_array_size(array);
	history->steps = calloc(n + image->nlayers + 1, sizeof(*history->steps));
	if (!history->steps)
		return err_sys(err, ENOMEM, "cannot read the history");
	for (size_t i = 0; i < n; i++) {
		struct history_step *step = &history->steps[i];
		bool empty = false;

		r = read_step(json_array_get(array, i), step, &empty, err);
		if (r < 0)
			return err_wrap(err, "\"history\": element %zu", i);
		if (!empty && layer < image->nlayers)
			step->layer = &image->layers[layer++];
		history->nsteps++;
	}
	while (layer < image->nlayers)
		history->steps[history->nsteps++].layer = &image->layers[layer++];
	return 0;
}

int history_read(const struct image_record *image, struct history *out, struct err *err)
{
	AUTO_HISTORY struct history history = HISTORY_INIT;
	int r = json_parse("image configuration", image->config, strlen(image->config),
			   &history.config, err);

	if (r < 0)
		return r;
	r = read_steps(image, &history, err);
	if (r < 0)
		return err_wrap(err, "image configuration");
	*out = history;
	history = (struct history)HISTORY_INIT;
	return 0;
}
