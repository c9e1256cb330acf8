/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/template_parser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/template_functions.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

int parser_no_memory(struct template_parser *parser)
{
	return err_sys(parser->err, ENOMEM, "cannot read the template");
}

/* A literal is the parser's until somebody takes it. */
int parser_advance(struct template_parser *parser)
{
	json_decref(parser->token.value);
	parser->token.value = NULL;
	return token_next(parser->template, &parser->at, &parser->token, parser->err);
}

int parser_go_deeper(struct template_parser *parser)
{
	if (parser->depth == TEMPLATE_MAX_DEPTH)
		return PARSER_FAIL(parser, parser->token.at, "nested deeper than %d",
				   TEMPLATE_MAX_DEPTH);
	parser->depth++;
	return 0;
}

/* --- variables --- */

static int find_variable(struct template_parser *parser, const struct token *token, int *slot)
{
	for (int i = parser->nvariables - 1; i >= 0; i--)
		if (parser->variables[i].len == token->len &&
		    memcmp(parser->variables[i].name, token->word, token->len) == 0) {
			*slot = i;
			return 0;
		}
	return PARSER_FAIL(parser, token->at, "there is no variable $%.*s", (int)token->len,
			   token->word);
}

static int add_variable(struct template_parser *parser, const struct token *token, int *slot)
{
	if (token->len == 0) {
		*slot = 0;
		return 0;
	}
	if (parser->nvariables == TEMPLATE_MAX_VARIABLES)
		return PARSER_FAIL(parser, token->at, "more than %d variables",
				   TEMPLATE_MAX_VARIABLES);
	*slot = parser->nvariables;
	parser->variables[parser->nvariables++] =
		(struct template_variable){ token->word, token->len };
	return 0;
}

/* --- operands --- */

/* .A.B that follow at once. */
static int parse_fields(struct template_parser *parser, struct template_operand *operand)
{
	while (!parser->token.spaced &&
	       (parser->token.kind == TOKEN_FIELD || parser->token.kind == TOKEN_DOT)) {
		AUTO_FREE char *name = strndup(parser->token.word, parser->token.len);

		if (parser->token.kind == TOKEN_DOT)
			return PARSER_FAIL(parser, parser->token.at,
					   "a name is missing behind this dot");
		if (!name || strv_add(&operand->fields, name) < 0)
			return parser_no_memory(parser);
		if (parser_advance(parser) < 0)
			return err_code(parser->err);
	}
	return 0;
}

static int parse_function(struct template_parser *parser, bool is_first,
			  struct template_operand *operand)
{
	const struct token *token = &parser->token;
	AUTO_BUF struct buf names = BUF_INIT;

	operand->kind = OPERAND_FUNCTION;
	operand->function = template_function_find(token->word, token->len);
	if (!operand->function) {
		PARSER_FAIL(parser, token->at, "there is no function %.*s", (int)token->len,
			    token->word);
		template_function_names(&names);
		return buf_failed(&names) ? err_code(parser->err) :
					    err_hint(parser->err, "functions:%s", names.data);
	}
	if (!is_first)
		return PARSER_FAIL(parser, token->at, "%s, with what it takes, needs parentheses",
				   operand->function->name);
	return parser_advance(parser);
}

static int parse_parentheses(struct template_parser *parser, struct template_operand *operand)
{
	int rc = parser_go_deeper(parser);

	operand->kind = OPERAND_PIPE;
	if (rc == 0)
		rc = parser_advance(parser);
	if (rc == 0)
		rc = parser_take_pipe(parser, false, &operand->pipe);
	if (rc < 0)
		return rc;
	if (parser->token.kind != TOKEN_CLOSE_PAREN)
		return PARSER_FAIL(parser, operand->at, "this parenthesis is not closed");
	parser->depth--;
	rc = parser_advance(parser);
	return rc < 0 ? rc : parse_fields(parser, operand);
}

/* ".A" is the field of a dot that is not written. */
static int parse_dot(struct template_parser *parser, struct template_operand *operand)
{
	operand->kind = OPERAND_DOT;
	if (parser->token.kind == TOKEN_FIELD) {
		parser->token.spaced = false;
		return parse_fields(parser, operand);
	}
	if (parser_advance(parser) < 0)
		return err_code(parser->err);
	if (!parser->token.spaced && parser->token.kind != TOKEN_CLOSE &&
	    parser->token.kind != TOKEN_CLOSE_PAREN && parser->token.kind != TOKEN_PIPE)
		return PARSER_FAIL(parser, operand->at, "a name is missing behind this dot");
	return 0;
}

static int parse_operand(struct template_parser *parser, bool is_first,
			 struct template_operand *operand)
{
	operand->at = parser->token.at;
	switch (parser->token.kind) {
	case TOKEN_DOT:
	case TOKEN_FIELD:
		return parse_dot(parser, operand);
	case TOKEN_VARIABLE:
		operand->kind = OPERAND_VARIABLE;
		if (find_variable(parser, &parser->token, &operand->slot) < 0 ||
		    parser_advance(parser) < 0)
			return err_code(parser->err);
		return parse_fields(parser, operand);
	case TOKEN_LITERAL:
		operand->kind = OPERAND_LITERAL;
		operand->literal = STEAL_PTR(parser->token.value);
		return parser_advance(parser);
	case TOKEN_OPEN_PAREN:
		return parse_parentheses(parser, operand);
	case TOKEN_WORD:
		return parse_function(parser, is_first, operand);
	default:
		return PARSER_FAIL(parser, parser->token.at, "a field or a value is missing");
	}
}

/* --- commands --- */

static bool ends_command(const struct token *token)
{
	return token->kind == TOKEN_CLOSE || token->kind == TOKEN_CLOSE_PAREN ||
	       token->kind == TOKEN_PIPE;
}

/* .Label "key" is a function of .Labels. */
static int make_label(struct template_parser *parser, struct template_command *command)
{
	struct template_operand *labels = command->operands;
	struct template_operand *function = calloc(1, sizeof(*function));
	size_t last = strv_len(labels->fields) - 1;
	char *name = strdup("Labels");

	if (!function || !name) {
		free(function);
		free(name);
		return parser_no_memory(parser);
	}
	free(labels->fields[last]);
	labels->fields[last] = name;
	*function = (struct template_operand){
		.kind = OPERAND_FUNCTION,
		.at = labels->at,
		.function = &template_function_label,
		.next = labels,
	};
	command->operands = function;
	command->noperands++;
	return 0;
}

static bool is_label(const struct template_operand *operand)
{
	size_t n = strv_len(operand->fields);

	return n > 0 && strcmp(operand->fields[n - 1], "Label") == 0;
}

/* Whether what is given is what it takes; `piped`: and one more. */
static int check_command(struct template_parser *parser, struct template_command *command,
			 bool piped)
{
	const struct template_operand *first = command->operands;
	const struct template_function *function = first->function;
	int n = command->noperands - 1 + piped;

	if (!function && n == 0)
		return 0;
	if (!function && n == 1 && is_label(first)) {
		if (make_label(parser, command) < 0)
			return err_code(parser->err);
		return 0;
	}
	if (!function && piped)
		return PARSER_FAIL(parser, first->at, "this takes nothing, but a function does");
	if (!function)
		return PARSER_FAIL(parser, first->next->at, "only a function takes something");
	if (n < function->min)
		return PARSER_FAIL(parser, first->at, "%s takes %s%d", function->name,
				   function->max > function->min ? "at least " : "", function->min);
	if (n > function->max)
		return PARSER_FAIL(parser, first->at, "%s takes %s%d", function->name,
				   function->max > function->min ? "at most " : "", function->max);
	return 0;
}

static int parse_command(struct template_parser *parser, bool piped,
			 struct template_command *command)
{
	struct template_operand **end = &command->operands;
	int rc = 0;

	do {
		if (command->noperands == TEMPLATE_MAX_OPERANDS)
			return PARSER_FAIL(parser, parser->token.at,
					   "more than a function can take");
		if (command->noperands > 0 && !parser->token.spaced)
			return PARSER_FAIL(parser, parser->token.at,
					   "a blank is missing before it");
		*end = calloc(1, sizeof(**end));
		if (!*end)
			return parser_no_memory(parser);
		rc = parse_operand(parser, command->noperands == 0, *end);
		command->noperands++;
		end = &(*end)->next;
	} while (rc == 0 && !ends_command(&parser->token));
	return rc < 0 ? rc : check_command(parser, command, piped);
}

/* --- pipelines --- */

/* What stands before the commands: "$a :=", "$a =", "$a, $b :=". */
struct assignment {
	struct token names[2];
	int n; /* 0: nothing */
	bool declares;
};

static int parse_names(struct template_parser *parser, bool is_range, struct assignment *out)
{
	out->names[out->n++] = parser->token;
	if (parser_advance(parser) < 0)
		return err_code(parser->err);
	if (parser->token.kind != TOKEN_COMMA)
		return 0;
	if (!is_range)
		return PARSER_FAIL(parser, parser->token.at, "not understood");
	if (parser_advance(parser) < 0)
		return err_code(parser->err);
	if (parser->token.kind != TOKEN_VARIABLE)
		return PARSER_FAIL(parser, parser->token.at, "not a variable");
	out->names[out->n++] = parser->token;
	return parser_advance(parser);
}

/* Nothing is taken where it is only an operand. */
static int parse_assignment(struct template_parser *parser, bool is_range, struct assignment *out)
{
	const struct token first = parser->token;
	const size_t behind = parser->at;

	if (first.kind != TOKEN_VARIABLE)
		return 0;
	if (parse_names(parser, is_range, out) < 0)
		return err_code(parser->err);
	if (parser->token.kind == TOKEN_DECLARE || parser->token.kind == TOKEN_ASSIGN) {
		out->declares = parser->token.kind == TOKEN_DECLARE;
		return parser_advance(parser);
	}
	if (out->n == 2)
		return PARSER_FAIL(parser, parser->token.at, ":= is missing");
	json_decref(parser->token.value);
	parser->token = first;
	parser->at = behind;
	out->n = 0;
	return 0;
}

/* Once the commands are parsed: $a := $a is about another one. */
static int assign(struct template_parser *parser, const struct assignment *assignment,
		  struct template_pipe *pipe)
{
	for (int i = 0; i < assignment->n; i++) {
		const struct token *name = &assignment->names[i];
		int rc = assignment->declares ? add_variable(parser, name, &pipe->slots[i]) :
						find_variable(parser, name, &pipe->slots[i]);

		if (rc < 0)
			return rc;
		if (pipe->slots[i] == 0)
			return PARSER_FAIL(parser, name->at, "$ is the object, and stays it");
	}
	pipe->nslots = assignment->n;
	return 0;
}

static int parse_commands(struct template_parser *parser, struct template_pipe *pipe)
{
	struct template_command **end = &pipe->commands;

	for (;;) {
		*end = calloc(1, sizeof(**end));
		if (!*end)
			return parser_no_memory(parser);
		if (parse_command(parser, end != &pipe->commands, *end) < 0)
			return err_code(parser->err);
		if (parser->token.kind != TOKEN_PIPE)
			return 0;
		if (parser_advance(parser) < 0)
			return err_code(parser->err);
		end = &(*end)->next;
	}
}

/* Up to what closes it, which is the token then. */
int parser_take_pipe(struct template_parser *parser, bool is_range, struct template_pipe **out)
{
	struct template_pipe *pipe = calloc(1, sizeof(*pipe));
	struct assignment assignment = { .n = 0 };

	*out = pipe;
	if (!pipe)
		return parser_no_memory(parser);
	pipe->at = parser->token.at;
	if (parser->token.kind == TOKEN_CLOSE)
		return PARSER_FAIL(parser, parser->token.at, "there is nothing in it");
	if (parse_assignment(parser, is_range, &assignment) < 0 || parse_commands(parser, pipe) < 0)
		return err_code(parser->err);
	return assign(parser, &assignment, pipe);
}
