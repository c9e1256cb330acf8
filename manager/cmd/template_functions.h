/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_FUNCTIONS_H
#define CMAN_MANAGER_CMD_TEMPLATE_FUNCTIONS_H

/*
 * The functions of templates. Those of Go: and, or, not; eq, ne, lt, le, gt, ge; len, index, slice;
 * print, println, printf. Those of Docker: json, join, split, lower, upper, title, truncate, pad.
 */

#include <stdbool.h>

#include "manager/cmd/template_value.h"
#include "store/base/buf.h"
#include "store/base/err.h"

struct template_call {
	const char *name;
	const struct template_value *args;
	int n;
	const struct template_style *style;
};

struct template_function {
	const char *name;
	int min, max; /* of what it takes */
	/* *out is untouched on failure. ERR_USAGE with text that the place is not in. */
	int (*run)(const struct template_call *call, struct template_value *out, struct err *err);
	/* Where headings are made of the names of columns: what is changed there is the value. */
	bool heading_is_first;
};

/* The longest text that a template makes. */
#define TEMPLATE_TEXT_MAX ((size_t)16 << 20)

/* NULL: there is none. */
const struct template_function *template_function_find(const char *name, size_t len);

/* Add their names, each with a blank before it. */
void template_function_names(struct buf *out);

/* {{.Label "key"}}, as Docker's ps has it: a function of the labels, without a name. */
extern const struct template_function template_function_label;

/* printf, in a file of its own. */
int template_printf(const struct template_call *call, struct template_value *out, struct err *err);

/*
 * and, or: whether `value`, which is not the last one, is the result, so that the others are not
 * looked at. False for all other functions.
 */
bool template_function_ends_with(const struct template_function *function,
				 const struct template_value *value);

#endif
