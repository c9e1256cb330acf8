/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_VALUE_H
#define CMAN_MANAGER_CMD_TEMPLATE_VALUE_H

/* What a template works with. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/base/buf.h"
#include "store/base/err.h"

struct template_value {
	json_t *json; /* NULL: a member that is not there, and need not be */
	/*
	 * Of a text: it is made of the template's own and of what was made printable, so that its
	 * newlines and tabs are meant. All other text is printed with them escaped.
	 */
	bool safe;
	/* Of an object: what members it has differs from one to the next, such as labels. */
	bool open;
};

#define TEMPLATE_VALUE_INIT \
	{                   \
		0           \
	}
#define AUTO_TEMPLATE_VALUE __attribute__((cleanup(template_value_release)))
void template_value_release(struct template_value *value);

/* One more reference to the same. */
struct template_value template_value_share(const struct template_value *value);

/* How values become text. */
struct template_style {
	const char *null_text;
	bool headings; /* values are the headings of columns: whatever is done to them, they show */
};

/* As Go has it: not false, 0, "", null, or empty. */
bool template_value_is_true(const struct template_value *value);

/* Add it as it is printed: text as it is, but printable; arrays and objects as JSON. -ENOMEM. */
int template_value_add(const struct template_value *value, const struct template_style *style,
		       struct buf *out, struct err *err);

/* Add it as JSON that is safe to print. -ENOMEM. */
int template_value_add_json(const struct template_value *value, struct buf *out, struct err *err);

/* "text", "a number", "a list" …, for messages. */
const char *template_value_kind(const struct template_value *value);

/* The text that was made in `text`, which is emptied. -ENOMEM. */
int template_value_from(struct buf *text, struct template_value *out, struct err *err);

/* The member of an object, or none. *out is open where its name says so. False: not an object. */
bool template_value_member(const struct template_value *object, const char *name,
			   struct template_value *out);

#endif
