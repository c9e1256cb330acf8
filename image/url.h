/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_URL_H
#define CMAN_IMAGE_URL_H

#include <stdbool.h>

/* Whether `text` begins with a scheme and "://" (RFC 3986). */
bool url_has_scheme(const char *text);

/* Whether the scheme of `text` is `scheme`, in any case. */
bool url_is(const char *text, const char *scheme);

/*
 * The URL as it may be shown and kept: a password in it becomes "***". To be freed; NULL: no
 * memory.
 */
char *url_without_password(const char *url);

/* The path of a file:// URL, %XX decoded; NULL for a host other than "" and "localhost", a NUL
 * in it, or no memory. To be freed. */
char *url_file_path(const char *url);

#endif
