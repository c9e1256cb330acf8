/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_INSPECT_PRINT_H
#define CMAN_MANAGER_CMD_INSPECT_PRINT_H

/* How `inspect` prints what it found: as a JSON array, or each through a template. */

#include "manager/cmd/template.h"
#include "store/base/err.h"
#include "store/json.h"

struct inspect_format {
	struct template template;
	bool has_template;
};

#define INSPECT_FORMAT_INIT \
	{                   \
		0           \
	}
#define AUTO_INSPECT_FORMAT __attribute__((cleanup(inspect_format_release)))
void inspect_format_release(struct inspect_format *format);

/* --format: "json", which is the default, or a template. ERR_USAGE. */
int inspect_format_set(struct inspect_format *format, const char *value, struct err *err);

/*
 * `found` is an array of objects. Returns the exit status: those that the template fails on, as it
 * names a field that is not there, are told, and the others printed.
 */
int inspect_print(const struct inspect_format *format, json_t *found, struct err *err);

#endif
