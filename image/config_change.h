/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CONFIG_CHANGE_H
#define CMAN_IMAGE_CONFIG_CHANGE_H

/*
 * Changes of an image's configuration (image-spec config.md) as instructions of a Dockerfile, which
 * `docker commit --change` takes: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL,
 * STOPSIGNAL, USER, VOLUME, WORKDIR.
 */

#include <jansson.h>

#include "store/base/err.h"

/*
 * Apply the instructions in their order to `root`, a configuration. An ENTRYPOINT takes away a CMD
 * that was not given among them before, as in a Dockerfile. ERR_INVALID naming the instruction;
 * then `root` may have changed.
 */
int config_change(json_t *root, char *const *instructions, struct err *err);

/* One step more in `history`, of now, which made a layer. NULL: not told. Texts are UTF-8. */
struct config_step {
	const char *created_by;
	const char *author;
	const char *comment;
};

/*
 * The configuration of an image that has one layer more: `root` is that of its parent, of `nlayers`
 * layers. Steps that the parent's history lacks are filled in, so that the last step is the new
 * layer's. ERR_INVALID where `root` is none.
 */
int config_add_layer(json_t *root, size_t nlayers, const char *diff_id,
		     const struct config_step *step, struct err *err);

#endif
