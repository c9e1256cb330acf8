/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_PATH_H
#define CMAN_STORE_BASE_PATH_H

/*
 * Paths as texts: what they say before anything is looked up. Symlinks may lead elsewhere; what is
 * opened is opened beneath a descriptor (fd.h).
 */

#include <stdbool.h>

/*
 * Bring an absolute path, in place, into its one form: no "." and "..", one slash between names, none
 * at the end. ".." of "/" is "/".
 */
void path_normalise(char *path);

/* Whether `path` is `directory` or beneath it; both absolute and normal, `directory` not "/". */
bool path_is_within(const char *path, const char *directory);

#endif
