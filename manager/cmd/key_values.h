/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_KEY_VALUES_H
#define CMAN_MANAGER_CMD_KEY_VALUES_H

/* Objects of strings, made from KEY=VALUE: labels, options of volumes. */

#include <jansson.h>
#include <stdbool.h>

#include "store/base/err.h"

/* Set it in *object (NULL: a new one). KEY alone has the value "". ERR_SYS with ENOMEM. */
int key_values_add(json_t **object, const char *text, struct err *err);

/* Whether `object` (NULL: an empty one) has KEY, and, where text is KEY=VALUE, with this value. */
bool key_values_match(const json_t *object, const char *text);

#endif
