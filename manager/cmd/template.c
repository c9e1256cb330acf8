/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/template.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/template_tree.h"
#include "store/base/strv.h"

/* Of what stands at the place of an error, this much is shown. */
#define SHOWN_MAX 24

static void pipe_free(struct template_pipe *pipe);

static void operands_free(struct template_operand *operand)
{
	while (operand) {
		struct template_operand *next = operand->next;

		json_decref(operand->literal);
		pipe_free(operand->pipe);
		strv_free(operand->fields);
		free(operand);
		operand = next;
	}
}

static void pipe_free(struct template_pipe *pipe)
{
	struct template_command *command = pipe ? pipe->commands : NULL;

	while (command) {
		struct template_command *next = command->next;

		operands_free(command->operands);
		free(command);
		command = next;
	}
	free(pipe);
}

void template_nodes_free(struct template_node *node)
{
	while (node) {
		struct template_node *next = node->next;

		free(node->text);
		pipe_free(node->pipe);
		template_nodes_free(node->body);
		template_nodes_free(node->otherwise);
		free(node);
		node = next;
	}
}

void template_release(struct template *template)
{
	free(template->text);
	template_nodes_free(template->nodes);
	*template = (struct template)TEMPLATE_INIT;
}

int template_fail(const struct template *template, size_t at, struct err *err, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (template->text[at] == '\0')
		return err_set(err, ERR_USAGE, EINVAL, "--format: %s (at its end)", message);
	return err_set(err, ERR_USAGE, EINVAL, "--format: %s (character %zu: %.*s)", message,
		       at + 1, SHOWN_MAX, template->text + at);
}

/* --- what it mentions --- */

static int visit_pipe(const struct template_pipe *pipe, bool is_object,
		      const struct template_visitor *visitor, struct err *err);

static int visit_operand(const struct template_operand *operand, bool is_object,
			 const struct template_visitor *visitor, struct err *err)
{
	if (operand->kind == OPERAND_PIPE)
		return visit_pipe(operand->pipe, is_object, visitor, err);
	if (!visitor->field || !((operand->kind == OPERAND_DOT && is_object) ||
				 (operand->kind == OPERAND_VARIABLE && operand->slot == 0)))
		return 0;
	return visitor->field(operand->fields, visitor->data, err);
}

static int visit_pipe(const struct template_pipe *pipe, bool is_object,
		      const struct template_visitor *visitor, struct err *err)
{
	int rc = 0;

	for (const struct template_command *command = pipe->commands; command && rc == 0;
	     command = command->next)
		for (const struct template_operand *operand = command->operands; operand && rc == 0;
		     operand = operand->next)
			rc = visit_operand(operand, is_object, visitor, err);
	return rc;
}

/* `is_object`: whether the dot is the object itself here. */
static int visit_nodes(const struct template_node *node, bool is_object, bool always,
		       const struct template_visitor *visitor, struct err *err)
{
	int rc = 0;

	for (; node && rc == 0; node = node->next) {
		const bool moves = node->kind == NODE_WITH || node->kind == NODE_RANGE;

		if (node->kind == NODE_TEXT && always && visitor->text)
			rc = visitor->text(node->text, visitor->data, err);
		if (node->pipe && rc == 0)
			rc = visit_pipe(node->pipe, is_object, visitor, err);
		if (rc == 0)
			rc = visit_nodes(node->body, is_object && !moves, false, visitor, err);
		if (rc == 0)
			rc = visit_nodes(node->otherwise, is_object, false, visitor, err);
	}
	return rc;
}

int template_visit(const struct template *template, const struct template_visitor *visitor,
		   struct err *err)
{
	return visit_nodes(template->nodes, true, true, visitor, err);
}
