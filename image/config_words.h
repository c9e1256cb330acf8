/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CONFIG_WORDS_H
#define CMAN_IMAGE_CONFIG_WORDS_H

/* The words of a Dockerfile's instruction. */

#include <jansson.h>

#include "store/base/err.h"

/*
 * Split `text` at blanks. A backslash takes the next character as it is; so do single quotes with
 * what is between them, and double quotes but for $ and backslash. $NAME and ${NAME} are replaced
 * by what `env` ("NAME=VALUE" strings, NULL: none) has, or by nothing. Quotes are left out. A word that
 * was quoted may be empty. *out, NULL where there are no words, to be freed with strv_free().
 * ERR_INVALID for a quote that does not end and for other things behind a dollar sign and brace.
 */
int config_words_split(const char *text, char *const *env, char ***out, struct err *err);

/* `["a", "b"]`; NULL where the text is no array of strings. To be freed with json_decref(). */
json_t *config_words_array(const char *text);

#endif
