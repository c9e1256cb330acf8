/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_LAYER_CHECK_H
#define CMAN_IMAGE_LAYER_CHECK_H

#include <stdbool.h>

#include "image/interrupt.h"
#include "image/unpack.h"
#include "store/fsck.h"

struct store;

/*
 * What struct fsck_options asks for: unpack the blob of a layer again, as a pull does, into *draft,
 * and compare it with the layer's tree. *same is false where there is none. ERR_CORRUPT where the
 * blob is damaged or is that of another layer.
 */
int layer_check(struct store *store, const struct fsck_layer *layer,
		const struct unpack_limits *limits, const struct interrupt *interrupt,
		struct layer_draft *draft, bool *same, char difference[512], struct err *err);

#endif
