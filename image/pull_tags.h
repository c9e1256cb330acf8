/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PULL_TAGS_H
#define CMAN_IMAGE_PULL_TAGS_H

/* From one tag of a repository to the next. */

#include <stdbool.h>

#include "image/pull_state.h"

/* Whether the word that was asked for is a repository of a registry, without tag and digest. */
bool pull_names_repository(const struct pull *pull);

/* From now on `pull` is for this tag. */
int pull_take_tag(struct pull *pull, const char *tag, struct err *err);

#endif
