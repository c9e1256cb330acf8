/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_H
#define CMAN_MANAGER_CMD_TEMPLATE_H

/*
 * Templates as people know them from Docker's and Podman's --format: the part of Go's text/template
 * that prints one object. Fields ({{.State.Pid}}), pipelines ({{.Name | upper}}), if, else, with,
 * range, break and continue, variables, comments, trimming ({{- -}}), and the functions of
 * template_functions.h. What the rest is for (define, template, block, methods) has no use here,
 * and is refused.
 *
 * In the text around them \t, \n and \\ stand for a tab, a newline and a backslash.
 *
 * A template is parsed here once, and made into text by template_eval.h as often as there are
 * objects.
 */

#include <stddef.h>

#include "store/base/err.h"

struct template_node;

struct template
{
	char *text; /* as it was given: errors show the place */
	struct template_node *nodes;
};

#define TEMPLATE_INIT \
	{             \
		0     \
	}
#define AUTO_TEMPLATE __attribute__((cleanup(template_release)))
void template_release(struct template *template);

/* ERR_USAGE that says what is wrong, and where. */
int template_parse(const char *text, struct template *out, struct err *err);

/*
 * What a template mentions, in its order. Both may be NULL, and return 0 to go on; what else they
 * return ends it, and is returned.
 */
struct template_visitor {
	/* Text that is always printed: none out of if, with or range. */
	int (*text)(const char *text, void *data, struct err *err);
	/* A field of the object itself, and what is below it; NULL: all of it, as in {{json .}}. */
	int (*field)(char *const *path, void *data, struct err *err);
	void *data;
};
int template_visit(const struct template *template, const struct template_visitor *visitor,
		   struct err *err);

/* ERR_USAGE: "--format: MESSAGE (character N: what stands there)". `at` counts bytes from 0. */
int template_fail(const struct template *template, size_t at, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
