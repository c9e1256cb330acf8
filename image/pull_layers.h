/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PULL_LAYERS_H
#define CMAN_IMAGE_PULL_LAYERS_H

/* All layers of an image of a registry: those that are there, those that come, those that come to
 * another process. */

#include "image/assemble.h"
#include "image/pull_documents.h"
#include "image/pull_state.h"

struct pull_layers {
	struct assembly_layer *layers; /* for assemble(): each is fresh or in the store */
	size_t nlayers;
	/* private: */
	struct layer_job *jobs; /* one for each layer */
};

#define PULL_LAYERS_INIT \
	{                \
		0        \
	}
#define AUTO_PULL_LAYERS __attribute__((cleanup(pull_layers_release)))
void pull_layers_release(struct pull_layers *layers);

/* `documents` has to stay. Fails as layer_jobs_run(). */
int pull_layers_get(struct pull *pull, struct registry *registry, const struct documents *documents,
		    struct pull_layers *out, struct err *err);

#endif
