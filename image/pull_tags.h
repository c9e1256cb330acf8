/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PULL_TAGS_H
#define CMAN_IMAGE_PULL_TAGS_H

/* The tags of a repository, and the journey to another one of them. */

#include <stdbool.h>

#include "image/pull_state.h"
#include "image/registry.h"

/* Whether the word that was asked for is a repository of a registry, without tag and digest. */
bool pull_names_repository(const struct pull *pull);

/* All of them, ended by NULL, to be freed with strv_free(). ERR_NOT_FOUND where there is none. */
int pull_list_tags(struct registry *registry, char ***out, struct err *err);

/* From now on `pull` is for this tag. */
int pull_take_tag(struct pull *pull, const char *tag, struct err *err);

#endif
