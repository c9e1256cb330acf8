/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_DESCRIBE_MAKER_H
#define CMAN_MANAGER_CMD_DESCRIBE_MAKER_H

/* The pieces that descriptions (describe.h) are made of. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"

/*
 * An object that is being made. A member that could not be added is counted, and told once at the
 * end.
 */
struct maker {
	json_t *object;
	int failures;
};

/* Add `value`, whose reference is taken; NULL: there was no memory for it. */
void maker_add(struct maker *maker, const char *key, json_t *value);

/* The object, or NULL where something failed. */
json_t *maker_finish(struct maker *maker);

/* Text of any bytes: JSON has UTF-8 only, so that others are shown as \xNN. NULL text: null. */
json_t *maker_text(const char *text);

/* The texts as an array; NULL: null. */
json_t *maker_texts(char *const *texts);

/* null for 0: nothing was set. */
json_t *maker_number(int64_t number);

#endif
