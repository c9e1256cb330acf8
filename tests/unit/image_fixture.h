/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_UNIT_IMAGE_FIXTURE_H
#define CMAN_TESTS_UNIT_IMAGE_FIXTURE_H

#include "store/images.h"
#include "store/store.h"

/* 64 times `digit`: a digest that is easy to read. */
const char *fixture_digest(char digit, char out[DIGEST_HEX_LEN + 1]);

/* Make a layer of one file and commit it. */
void fixture_layer(struct store *store, char digit);

#define FIXTURE_CONFIG "{\"os\":\"linux\"}"

/*
 * Record an image with ID `id` times 64, whose layers are the digits of `layers`, under `name`. The
 * layers must be there. Returns what image_put() does.
 */
int fixture_image(struct store *store, char id, const char *layers, const char *name,
		  struct err *err);

#endif
