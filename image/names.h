/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_NAMES_H
#define CMAN_IMAGE_NAMES_H

/*
 * What a word that a person types means. Names of the catalog and of images that were made here
 * stay unqualified ("ubuntu-base:latest"); names of registries are kept in full
 * ("docker.io/library/nginx:1.27").
 */

#include "image/ref.h"
#include "store/base/err.h"
#include "store/images.h"

struct store;

/*
 * A registry's image: `word` in full, by the short names and the default registry of
 * image/registries.h (CMAN_REGISTRIES). Where it has a digest its tag is left out: the digest
 * says all. ERR_INVALID.
 */
int name_qualify(const char *word, struct ref *out, struct err *err);

/*
 * The image of this store that `word` means, tried in this order: the name as written, with
 * ":latest" added, in full as by name_qualify(), name@digest as the registry calls it (also for a
 * name that was pulled by tag), an ID or the beginning of one. ERR_NOT_FOUND, ERR_AMBIGUOUS.
 */
int image_lookup(struct store *store, const char *word, struct image_record *out, struct err *err);

/*
 * The same, as something that image_find(), image_tag() and image_remove() take: the name that was
 * found, or the ID where `word` is one. To be freed.
 */
int image_lookup_name(struct store *store, const char *word, char **out, struct err *err);

#endif
