/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_STACK_ID_H
#define CMAN_IMAGE_STACK_ID_H

/*
 * What a stack of layers is called: as the chain ID of image-spec config.md ("Layer ChainID"), but
 * that of the bottom layer is a hash as well. So a stack ID is never a diff ID, and a tree that is
 * kept under its diff ID is one that is right on every stack.
 */

#include "store/base/err.h"
#include "store/blobs.h"

/*
 * The ID of the stack `below` ("": there is none) with the layer `diff_id` put on it. `out` may be
 * `below`.
 */
int stack_id(const char *below, const char *diff_id, char out[DIGEST_HEX_LEN + 1], struct err *err);

#endif
