/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_OBJECT_PRINT_H
#define CMAN_MANAGER_CMD_OBJECT_PRINT_H

/*
 * One JSON object as people and scripts read it (`info`, `version`): lines of a title and a value,
 * JSON, or a template.
 */

#include <jansson.h>

#include "store/base/err.h"

enum object_value {
	OBJECT_PLAIN,	/* a text, a number; of an array its members, with commas */
	OBJECT_SIZE,	/* bytes, as "1.25 GB" */
	OBJECT_MEMBERS, /* of an object: a line for each, with its own name for a title */
};

struct object_line {
	const char *key; /* NULL ends the list */
	const char *title;
	enum object_value value;
};

/*
 * Print to stdout. `format`: NULL: lines, passed over where there is nothing; "json"; else a
 * template (template.h): ERR_USAGE for a bad one.
 */
int object_print(json_t *object, const struct object_line *lines, const char *format,
		 struct err *err);

#endif
