/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_LOAD_LAYERS_H
#define CMAN_IMAGE_LOAD_LAYERS_H

/* All layers of an image of an archive: those that the store has, and those that come. */

#include "image/assemble.h"
#include "image/interrupt.h"
#include "image/load_image.h"
#include "image/pull_ui.h"
#include "store/base/err.h"

struct load_layers {
	struct assembly_layer *layers; /* for assemble(): each is fresh or in the store */
	size_t nlayers;
	/* private: */
	struct intake *intakes; /* of the last round; as many as there are layers */
};

#define LOAD_LAYERS_INIT \
	{                \
		0        \
	}
#define AUTO_LOAD_LAYERS __attribute__((cleanup(load_layers_release)))
void load_layers_release(struct load_layers *layers);

/*
 * Take in what is missing, one after the other. `image` has to stay. ERR_CORRUPT where a file is
 * not what its digest or size says.
 */
int load_layers_get(struct store *store, const struct load_source *source,
		    const struct load_image *image, const struct interrupt *interrupt,
		    const struct pull_ui *ui, struct load_layers *out, struct err *err);

#endif
