/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_H
#define CMAN_MANAGER_CMD_TEMPLATE_H

/*
 * The part of Go's text/template that people really use with Docker's --format: text with
 * {{.Path.To.Field}}, {{json .Path}} and {{json .}}. In the text \t, \n and \\ stand for a tab, a
 * newline and a backslash. Loops and conditions are work for jq(1).
 */

#include <stddef.h>

#include "store/base/err.h"

enum template_kind {
	TEMPLATE_TEXT,	/* text as it is */
	TEMPLATE_VALUE, /* {{.Path}} */
	TEMPLATE_JSON,	/* {{json .Path}} */
};

struct template_part {
	enum template_kind kind;
	char *text; /* the text, or the path without its first dot: "State.Pid", "" for "." */
};

struct template
{
	struct template_part *parts;
	size_t nparts;
};

#define TEMPLATE_INIT \
	{             \
		0     \
	}
#define AUTO_TEMPLATE __attribute__((cleanup(template_release)))
void template_release(struct template *template);

/* ERR_USAGE that shows the place where it stopped making sense. */
int template_parse(const char *text, struct template *out, struct err *err);

#endif
