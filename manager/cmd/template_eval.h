/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_EVAL_H
#define CMAN_MANAGER_CMD_TEMPLATE_EVAL_H

/* The text that a template (template.h) makes of an object: `inspect -f '{{.State.Pid}}'`. */

#include <jansson.h>

#include "manager/cmd/template.h"
#include "manager/cmd/template_value.h"
#include "store/base/buf.h"
#include "store/base/err.h"

struct template_data {
	json_t *object;
	json_t *aliases; /* more fields of it, that are no part of it as a whole; NULL: none */
	struct template_style style;
};

/*
 * Add to `out`. Whatever the object holds, nothing that acts on a terminal is added but what the
 * template has. ERR_USAGE for a field that is not there, with those that are, and for what cannot
 * be done with a value; what was added until then is to be thrown away. Members of objects that
 * differ from one to the next, such as labels, are nothing where they are missing.
 */
int template_eval(const struct template *template, const struct template_data *data,
		  struct buf *out, struct err *err);

/* The same for an object alone, with a newline behind it; null is printed as it is. */
int template_add_line(struct buf *out, const struct template *template, json_t *object,
		      struct err *err);

#endif
