/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_SUMS_H
#define CMAN_IMAGE_SUMS_H

/*
 * Publishers' lists of files and their SHA-256 checksums, in any of these forms; other lines are
 * passed over.
 *   HEX  NAME, HEX *NAME      sha256sum(1)
 *   SHA256 (NAME) = HEX       the same with --tag
 *   file: NAME, sha256: HEX   members of the mappings of a YAML list
 */

#include <stddef.h>

#include "store/base/err.h"
#include "store/images.h"

#define SUMS_MAX_BYTES (1u << 20)

/*
 * The newest file whose name is `pattern`, where one '*' stands for digits and dots: behind a
 * version number for nothing or for what continues it (24.04 → 24.04.3; a beta is none of these),
 * elsewhere for a whole one. Numbers compare as numbers. *file is to be freed, `hex` its checksum
 * in lower case. ERR_NOT_FOUND naming the pattern.
 */
int sums_find_newest(const char *text, size_t len, const char *pattern, char **file,
		     char hex[DIGEST_HEX_LEN + 1], struct err *err);

#endif
