/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_FILTER_KEY_H
#define CMAN_MANAGER_CMD_FILTER_KEY_H

/* What the filters of all lists have in common: `--filter KEY=VALUE`. */

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

/*
 * Which of `n` keys `text` begins with; *value is what follows the equals sign, and not empty. Each
 * key takes `size` bytes, and begins with a pointer to its name. ERR_USAGE with the one that may
 * have been meant, or all there are.
 */
int filter_key_take(const char *text, const void *keys, size_t n, size_t size, const char **value,
		    struct err *err);

/* true or false (also 1, 0). ERR_USAGE names the key. */
int filter_key_bool(const char *key, const char *value, bool *out, struct err *err);

/* An extended regular expression, for regexec(3) and regfree(3). */
int filter_key_regex(const char *value, regex_t *out, struct err *err);

#endif
