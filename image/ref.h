/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_REF_H
#define CMAN_IMAGE_REF_H

#include <stdbool.h>

#include "store/base/err.h"

/*
 * References. A name is [registry/]path[:tag][@digest] after distribution/reference; a name
 * without tag means ":latest".
 */

/* Whether `word` is written as a reference: has '/', ':' or '@'. */
bool ref_is_written_as_reference(const char *word);

/* Check the grammar and add ":latest" where no tag or digest is. To be freed. ERR_INVALID. */
int ref_normalize(const char *word, char **out, struct err *err);

#endif
