/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_USAGE_FILES_H
#define CMAN_MANAGER_RUNTIME_USAGE_FILES_H

/* Figures out of the files of a group, whose directory is `dir` (-1: there is none). */

#include <stdbool.h>
#include <stdint.h>

#include "manager/runtime/usage.h"

/* A file that holds one number; "max" is none, and false. */
bool usage_read_number(int dir, const char *file, uint64_t *out);

/* The number of `key` in a file of lines "key value". */
bool usage_read_keyed(int dir, const char *file, const char *key, uint64_t *out);

/* out->known stays false where the file cannot be read. */
void usage_read_pressure(int dir, const char *file, struct usage_pressure *out);

#endif
