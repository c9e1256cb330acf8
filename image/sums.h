/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_SUMS_H
#define CMAN_IMAGE_SUMS_H

/*
 * SHA256SUMS files as sha256sum(1) writes them: 64 hex digits, a space, a space or '*', a file
 * name. Other lines are passed over.
 */

#include <stddef.h>

#include "store/base/err.h"
#include "store/images.h"

#define SUMS_MAX_BYTES (1u << 20)

/*
 * The newest file whose name is `pattern`, where one '*' stands for nothing or for what continues
 * a version number: digits and dots (24.04 → 24.04.3; a beta is none of these). Numbers compare
 * as numbers. *file is to be freed, `hex` its checksum in lower case. ERR_NOT_FOUND naming the
 * pattern.
 */
int sums_find_newest(const char *text, size_t len, const char *pattern, char **file,
		     char hex[DIGEST_HEX_LEN + 1], struct err *err);

#endif
