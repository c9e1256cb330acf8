/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CREDENTIALS_HELPER_H
#define CMAN_IMAGE_CREDENTIALS_HELPER_H

/*
 * Programs that keep secrets: docker-credential-NAME in PATH, run as the user with the user's
 * environment. They take an action as their argument and a server's address or JSON from standard
 * input, and print JSON or what went wrong (docker-credential-helpers, "Development").
 */

#include <stdbool.h>

#include "image/credentials.h"
#include "store/base/err.h"
#include "store/base/strv.h"

/*
 * The credentials for `server`; untouched and *found false where it knows none. ERR_INVALID for a
 * name that is no name, ERR_SYS where it cannot be run, ERR_STATE with what it said.
 */
int credentials_helper_get(const char *helper, const char *server, struct credentials *out,
			   bool *found, struct err *err);
int credentials_helper_store(const char *helper, const char *server,
			     const struct credentials *credentials, struct err *err);
/* Not to know of `server` is no failure: *found says. */
int credentials_helper_erase(const char *helper, const char *server, bool *found, struct err *err);
/* The servers it knows, to be freed with strv_free(). */
int credentials_helper_list(const char *helper, char ***out, struct err *err);

#endif
