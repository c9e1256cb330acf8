/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_JSON_FILES_H
#define CMAN_IMAGE_JSON_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

/*
 * Read a file of settings, or all *.json of a directory of them in the order of their names, and
 * give each to `add`, whose failure ends it. `path` is for its messages. With `optional` it may be
 * missing. ERR_SYS, and ERR_INVALID above JSON_FILES_MAX.
 */
#define JSON_FILES_MAX (1u << 20) /* bytes, of one file */
typedef int json_files_add(const char *path, const char *text, size_t len, void *data,
			   struct err *err);
int json_files_read(const char *path, bool optional, json_files_add *add, void *data,
		    struct err *err);

#endif
