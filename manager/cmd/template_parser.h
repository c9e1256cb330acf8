/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_PARSER_H
#define CMAN_MANAGER_CMD_TEMPLATE_PARSER_H

/* What the parser of templates (template.h) keeps, and its half that is between the braces. */

#include <stdbool.h>
#include <stddef.h>

#include "manager/cmd/template.h"
#include "manager/cmd/template_token.h"
#include "manager/cmd/template_tree.h"
#include "store/base/err.h"

struct template_variable {
	const char *name; /* in the template's text */
	size_t len;
};

struct template_parser {
	struct template *template;
	size_t at; /* behind the token */
	struct token token;
	bool trims; /* blanks at the beginning of the text to come */
	int depth, loops;
	/* Those that there are at this place: [0] is $, whose name is empty. */
	struct template_variable variables[TEMPLATE_MAX_VARIABLES];
	int nvariables;
	struct err *err;
};

/* An error at a place in the template. */
#define PARSER_FAIL(parser, at, ...) \
	template_fail((parser)->template, at, (parser)->err, __VA_ARGS__)
int parser_no_memory(struct template_parser *parser);

/* On to the next token. */
int parser_advance(struct template_parser *parser);

/* To be taken back from parser->depth where it is left. */
int parser_go_deeper(struct template_parser *parser);

/*
 * A pipeline from the token on, up to what closes it, which is the token then. Its variables are
 * declared when it ends. *out is set, and to be freed, on failure, too.
 */
int parser_take_pipe(struct template_parser *parser, bool is_range, struct template_pipe **out);

#endif
