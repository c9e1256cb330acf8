/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/template.h"
#include "manager/cmd/template_parser.h"
#include "store/base/begins.h"
#include "store/base/buf.h"

/* --- actions and text --- */

enum stop { STOP_TEXT_ENDS, STOP_END, STOP_ELSE };

static int parse_nodes(struct template_parser *parser, struct template_node **out, enum stop *stop);

/* }} or -}} is the token: on with the text behind it. */
static int close_action(struct template_parser *parser)
{
	if (parser->token.kind != TOKEN_CLOSE)
		return PARSER_FAIL(parser, parser->token.at, "not understood");
	parser->trims = parser->token.trims;
	return 0;
}

static int parse_block(struct template_parser *parser, struct template_node *node);

/* What follows {{else: another block in its place, or }}. `else` was taken. */
static int parse_else(struct template_parser *parser, struct template_node *node, enum stop *stop)
{
	struct template_node *other;

	if (!token_is_word(&parser->token, "if") && !token_is_word(&parser->token, "with"))
		return close_action(parser) < 0 ? err_code(parser->err) :
						  parse_nodes(parser, &node->otherwise, stop);
	other = calloc(1, sizeof(*other));
	if (!other)
		return parser_no_memory(parser);
	node->otherwise = other;
	other->at = node->at;
	other->kind = token_is_word(&parser->token, "if") ? NODE_IF : NODE_WITH;
	*stop = STOP_END;
	if (node->kind != other->kind)
		return PARSER_FAIL(parser, parser->token.at, "not understood behind else");
	return parse_block(parser, other);
}

/* if, with, range: the token is that word. */
static int parse_block(struct template_parser *parser, struct template_node *node)
{
	const int nvariables = parser->nvariables;
	const bool loops = node->kind == NODE_RANGE;
	enum stop stop;

	if (parser_go_deeper(parser) < 0 || parser_advance(parser) < 0 ||
	    parser_take_pipe(parser, loops, &node->pipe) < 0 || close_action(parser) < 0)
		return err_code(parser->err);
	parser->loops += loops;
	if (parse_nodes(parser, &node->body, &stop) < 0)
		return err_code(parser->err);
	parser->loops -= loops;
	if (stop == STOP_ELSE && parse_else(parser, node, &stop) < 0)
		return err_code(parser->err);
	if (stop == STOP_ELSE)
		return PARSER_FAIL(parser, parser->token.at, "a second else");
	if (stop == STOP_TEXT_ENDS)
		return PARSER_FAIL(parser, node->at, "{{end}} is missing for this");
	parser->nvariables = nvariables;
	parser->depth--;
	return 0;
}

static int parse_jump(struct template_parser *parser, struct template_node *node)
{
	if (parser->loops == 0)
		return PARSER_FAIL(parser, node->at,
				   "this is for range, and there is none round it");
	return parser_advance(parser) < 0 ? err_code(parser->err) : close_action(parser);
}

/* What begins with a word that is no function. 1: it was none of them. */
static int parse_keyword(struct template_parser *parser, struct template_node *node,
			 enum stop *stop)
{
	static const struct {
		const char *word;
		enum template_node_kind kind;
	} blocks[] = { { "if", NODE_IF }, { "with", NODE_WITH }, { "range", NODE_RANGE } };
	static const char *const refused[] = { "define", "template", "block" };
	const struct token *token = &parser->token;

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (token_is_word(token, blocks[i].word)) {
			node->kind = blocks[i].kind;
			return parse_block(parser, node);
		}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (token_is_word(token, refused[i]))
			return PARSER_FAIL(parser, token->at, "%s: a template is one here",
					   refused[i]);
	if (token_is_word(token, "break") || token_is_word(token, "continue")) {
		node->kind = *token->word == 'b' ? NODE_BREAK : NODE_CONTINUE;
		return parse_jump(parser, node);
	}
	if (token_is_word(token, "end") || token_is_word(token, "else")) {
		*stop = token_is_word(token, "end") ? STOP_END : STOP_ELSE;
		if (parser->depth == 0)
			return PARSER_FAIL(parser, token->at,
					   "there is nothing that this belongs to");
		if (parser_advance(parser) < 0)
			return err_code(parser->err);
		return *stop == STOP_END ? close_action(parser) : 0;
	}
	return 1;
}

/* Whether it begins with "{{- ": "{{-1" is a number. */
static bool is_trimming(const char *action)
{
	return action[2] == '-' && action[3] && strchr(" \t\n\r", action[3]);
}

/* From {{ on, which is at parser->at. *stop is set where it ends the list. */
static int parse_action(struct template_parser *parser, struct template_node *node, enum stop *stop)
{
	int rc;

	node->at = parser->at;
	/* The blanks before it are gone already. */
	parser->at += is_trimming(parser->template->text + parser->at) ? 3 : 2;
	rc = parser_advance(parser);
	if (rc == 0 && parser->token.kind == TOKEN_WORD)
		rc = parse_keyword(parser, node, stop);
	else if (rc == 0)
		rc = 1;
	if (rc <= 0)
		return rc;
	node->kind = NODE_PIPE;
	if (parser_take_pipe(parser, false, &node->pipe) < 0)
		return err_code(parser->err);
	return close_action(parser);
}

/* The length of the comment, with its braces, that `text` begins with; 0: none. *trims: behind. */
static size_t comment_length(const char *text, bool *trims)
{
	const char *p = text + 2;
	const char *end;

	if (is_trimming(text))
		p += 1 + strspn(p + 1, " \t\n\r");
	if (!begins_with(p, "/*"))
		return 0;
	end = strstr(p + 2, "*/");
	if (!end)
		return 0;
	end += 2;
	p = end + strspn(end, " \t\n\r");
	*trims = p > end && *p == '-';
	p = *trims ? p + 1 : end;
	return begins_with(p, "}}") ? (size_t)(p + 2 - text) : 0;
}

static void trim_end(struct buf *text)
{
	while (text->len > 0 && strchr(" \t\n\r", text->data[text->len - 1]))
		text->data[--text->len] = '\0';
}

/* Up to the next action, comments taken out; with its escapes understood. */
static void take_text(struct template_parser *parser, struct buf *text)
{
	const char *p = parser->template->text + parser->at;
	bool trims = parser->trims;
	size_t len;

	for (; *p; p++) {
		bool action = p[0] == '{' && p[1] == '{';
		char c = *p;

		if (trims && strchr(" \t\n\r", c))
			continue;
		if (action && is_trimming(p))
			trim_end(text);
		len = action ? comment_length(p, &trims) : 0;
		if (action && len == 0)
			break;
		if (action) {
			p += len - 1;
			continue;
		}
		trims = false;
		if (c == '\\' && (p[1] == 't' || p[1] == 'n' || p[1] == '\\')) {
			p++;
			c = *p == 't' ? '\t' : *p == 'n' ? '\n' : '\\';
		}
		buf_addch(text, c);
	}
	parser->at = (size_t)(p - parser->template->text);
	parser->trims = false;
}

static int parse_text(struct template_parser *parser, struct template_node *node)
{
	AUTO_BUF struct buf text = BUF_INIT;

	node->kind = NODE_TEXT;
	node->at = parser->at;
	take_text(parser, &text);
	node->text = buf_steal(&text);
	return node->text ? 0 : parser_no_memory(parser);
}

/* Text and actions in turn, until the text ends, or what ends this list. */
static int parse_nodes(struct template_parser *parser, struct template_node **out, enum stop *stop)
{
	const int nvariables = parser->nvariables;
	const enum stop none = (enum stop) - 1;
	bool is_action = false;

	*stop = none;
	while (*stop == none) {
		struct template_node *node = calloc(1, sizeof(*node));
		int rc;

		if (!node)
			return parser_no_memory(parser);
		*out = node;
		rc = is_action ? parse_action(parser, node, stop) : parse_text(parser, node);
		if (rc < 0)
			return rc;
		if (*stop != none || (!is_action && *node->text == '\0')) {
			template_nodes_free(node);
			*out = NULL;
		} else {
			out = &node->next;
		}
		if (!is_action && parser->template->text[parser->at] == '\0')
			*stop = STOP_TEXT_ENDS;
		is_action = !is_action;
	}
	parser->nvariables = nvariables;
	return 0;
}

int template_parse(const char *text, struct template *out, struct err *err)
{
	AUTO_TEMPLATE struct template template = TEMPLATE_INIT;
	struct template_parser parser = {
		.template = &template,
		.variables = { { "", 0 } },
		.nvariables = 1,
		.err = err,
	};
	enum stop stop;
	int rc;

	if (strlen(text) > TEMPLATE_MAX_BYTES)
		return err_set(err, ERR_USAGE, E2BIG, "--format: longer than %d bytes",
			       TEMPLATE_MAX_BYTES);
	template.text = strdup(text);
	if (!template.text)
		return parser_no_memory(&parser);
	rc = parse_nodes(&parser, &template.nodes, &stop);
	json_decref(parser.token.value);
	if (rc < 0)
		return rc;
	*out = template;
	template = (struct template)TEMPLATE_INIT;
	return 0;
}
