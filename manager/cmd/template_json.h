/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_JSON_H
#define CMAN_MANAGER_CMD_TEMPLATE_JSON_H

/* A template (template.h) over a JSON document: `inspect -f '{{.State.Pid}}'`. */

#include <jansson.h>

#include "manager/cmd/template.h"
#include "store/base/buf.h"
#include "store/base/err.h"

/*
 * Add the line that the template makes of `object`, with its newline. A field that is not there is
 * ERR_USAGE with the fields that are; but below the member `open` (such as "Actor.Attributes", NULL:
 * none), whose fields differ from object to object, it is nothing.
 */
int template_add_json(struct buf *buf, const struct template *template, json_t *object,
		      const char *open, struct err *err);

#endif
