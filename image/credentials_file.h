/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CREDENTIALS_FILE_H
#define CMAN_IMAGE_CREDENTIALS_FILE_H

/*
 * One document in the format of Docker's config.json. Its keys are hosts with or without a scheme
 * and the path of the old protocol ("https://index.docker.io/v1/"), and in Podman's files also
 * repositories or the beginnings of them.
 */

#include <jansson.h>
#include <stdbool.h>

#include "image/credentials.h"
#include "store/base/err.h"

/* What Docker calls docker.io in such files, and towards helpers. */
#define CREDENTIALS_DOCKER_KEY "https://index.docker.io/v1/"

/* The key under which `registry` is written. */
const char *credentials_key(const char *registry);

/* host[:port][/path] of a key; to be freed. NULL: no memory. */
char *credentials_key_meaning(const char *key);

/* The helper for `registry`; NULL: none, it is written in the file. *own: it is named for this
 * registry, and not for all. */
const char *credentials_file_helper(const json_t *document, const char *registry,
				    const char *repository, bool *own);

/*
 * What is written under "auths"; *found false and all untouched where nothing is. ERR_INVALID
 * naming the key.
 */
int credentials_file_get(const json_t *document, const char *registry, const char *repository,
			 struct credentials *out, bool *found, struct err *err);

/* Replace what is there for `registry`. `credentials` NULL: a mark that a helper has them. */
int credentials_file_set(json_t *document, const char *registry,
			 const struct credentials *credentials, struct err *err);

/* Remove what is there for `registry` (NULL: all); the number of keys that held something. */
size_t credentials_file_remove(json_t *document, const char *registry);

#endif
