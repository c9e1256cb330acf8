/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TAG_LIST_H
#define CMAN_IMAGE_TAG_LIST_H

#include "image/parse.h"
#include "image/registry.h"
#include "store/base/err.h"

/*
 * All tags of a repository; ended by NULL, to be freed with strv_free(). ERR_NOT_FOUND where there
 * is none, ERR_INVALID where there is no end to them.
 */
int tag_list_get(struct registry *registry, struct parse_session *session, char ***out,
		 struct err *err);

#endif
