/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_IMAGES_FIND_H
#define CMAN_STORE_IMAGES_FIND_H

#include "store/images.h"

/*
 * The ID of the image that `what` names, as image_find() looks it up. *name becomes the name that
 * was found, to be freed, and stays as it is where `what` is an ID. For images_remove.c.
 */
int image_find_id(struct store *store, const char *what, char id[DIGEST_HEX_LEN + 1], char **name,
		  struct err *err);

#endif
