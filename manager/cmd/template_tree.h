/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_TREE_H
#define CMAN_MANAGER_CMD_TEMPLATE_TREE_H

/* What a template was parsed to. Lists are linked, and `at` is the place in its text. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct template_function;

/* Bounds, so that neither parsing nor evaluating can take the stack. */
#define TEMPLATE_MAX_BYTES 65536
#define TEMPLATE_MAX_DEPTH 64	  /* of blocks, and of parentheses */
#define TEMPLATE_MAX_VARIABLES 32 /* at one place; the first is $ */
#define TEMPLATE_MAX_OPERANDS 16  /* of a function, with its name */

enum template_operand_kind {
	OPERAND_DOT,	  /* . */
	OPERAND_VARIABLE, /* $name */
	OPERAND_LITERAL,  /* "text", 1.5, true, nil */
	OPERAND_PIPE,	  /* (…) */
	OPERAND_FUNCTION, /* only the first of a command */
};

struct template_operand {
	enum template_operand_kind kind;
	size_t at;
	int slot; /* of the variable */
	json_t *literal;
	struct template_pipe *pipe;
	const struct template_function *function;
	char **fields; /* .A.B behind it, as a vector; NULL: none */
	struct template_operand *next;
};

/* A function with what it takes, or one operand alone. */
struct template_command {
	struct template_operand *operands;
	int noperands;
	struct template_command *next;
};

struct template_pipe {
	size_t at;
	/* $a := …, $a, $b := range …; {{$a = …}} gives a value to one that there is. */
	int slots[2];
	int nslots;
	struct template_command *commands;
};

enum template_node_kind {
	NODE_TEXT,
	NODE_PIPE, /* {{.Field}} */
	NODE_IF,
	NODE_WITH,
	NODE_RANGE,
	NODE_BREAK,
	NODE_CONTINUE,
};

struct template_node {
	enum template_node_kind kind;
	size_t at;
	char *text;
	struct template_pipe *pipe;
	struct template_node *body;
	struct template_node *otherwise; /* {{else}}; {{else if}} is one node here */
	struct template_node *next;
};

/* Of any of them, and NULL, with what is below. */
void template_nodes_free(struct template_node *nodes);

#endif
