/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_IMAGE_RECALL_H
#define CMAN_MANAGER_CMD_IMAGE_RECALL_H

/*
 * What image_choose() answered the last time, in a file of <run>/: a guess, with which a container
 * can be prepared while the database is still being read. Whoever goes by it asks image_choose()
 * before anything of the image is let go, and begins anew where image_choice_equal() says that the
 * guess was wrong (recall.h).
 */

#include <stdbool.h>

#include "manager/cmd/image_choice.h"

/*
 * Whether there is one. Of out->image the ID and the layers' trees are there.
 * Never for a wish that asks a registry or for a platform.
 */
bool image_recall(const struct store *store, const struct image_wish *wish, char *const *words,
		  struct image_choice *out);

/* Without a place to keep it, nothing. */
void image_remember(const struct store *store, const struct image_wish *wish, char *const *words,
		    const struct image_choice *choice);

/* In what image_recall() gives. */
bool image_choice_equal(const struct image_choice *a, const struct image_choice *b);

#endif
