/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/template_eval.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/field_hint.h"
#include "manager/cmd/template_functions.h"
#include "manager/cmd/template_tree.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

/* Loops in loops end some time, but nobody waits that long. */
#define STEPS_MAX 1000000
#define MADE_MAX ((size_t)64 << 20)

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

struct eval {
	const struct template *template;
	const struct template_data *data;
	struct buf *out;
	struct template_value variables[TEMPLATE_MAX_VARIABLES];
	enum flow flow;
	size_t steps;
	size_t made; /* bytes of texts */
	struct err *err;
};

#define FAIL(eval, at, ...) template_fail((eval)->template, at, (eval)->err, __VA_ARGS__)

static int count(struct eval *eval, size_t at, size_t made)
{
	eval->made += made;
	if (++eval->steps > STEPS_MAX || eval->made > MADE_MAX)
		return FAIL(eval, at, "this goes on for too long");
	return 0;
}

/* --- fields --- */

/* ".State.Nome", up to field number `last`. */
static void add_path(struct buf *out, const struct template_operand *operand, size_t last)
{
	for (size_t i = 0; i <= last; i++)
		buf_addf(out, ".%s", operand->fields[i]);
}

static int no_field(struct eval *eval, const struct template_operand *operand, size_t i,
		    const struct template_value *value)
{
	AUTO_BUF struct buf path = BUF_INIT;
	struct field_hint hint;
	const char *name;
	json_t *member;

	add_path(&path, operand, i);
	if (buf_failed(&path))
		return err_sys(eval->err, ENOMEM, "cannot print what was found");
	if (json_is_object(value->json))
		err_set(eval->err, ERR_USAGE, EINVAL, "--format: there is no field %s", path.data);
	else
		err_set(eval->err, ERR_USAGE, EINVAL,
			"--format: there is no field %s: it would be one of %s", path.data,
			template_value_kind(value));
	field_hint_begin(&hint, operand->fields[i]);
	json_object_foreach (value->json, name, member)
		field_hint_offer(&hint, name);
	return field_hint_end(&hint, "fields there", eval->err);
}

static bool find_alias(const struct eval *eval, const struct template_value *object,
		       const char *name, struct template_value *out)
{
	const struct template_value aliases = { .json = eval->data->aliases };

	return object->json == eval->data->object && template_value_member(&aliases, name, out) &&
	       out->json;
}

/* *value is what the operand's fields are of, and becomes what they lead to. */
static int follow(struct eval *eval, const struct template_operand *operand,
		  struct template_value *value)
{
	for (size_t i = 0; operand->fields && operand->fields[i]; i++) {
		struct template_value member = TEMPLATE_VALUE_INIT;

		if (eval->data->style.headings && json_is_string(value->json))
			return 0;
		/* What is missing has nothing below it, either; nor have labels that are null. */
		if (json_is_null(value->json) && value->open)
			template_value_release(value);
		if (!value->json)
			return 0;
		if (!template_value_member(value, operand->fields[i], &member) ||
		    (!member.json && !value->open &&
		     !find_alias(eval, value, operand->fields[i], &member)))
			return no_field(eval, operand, i, value);
		member.safe = value->safe;
		template_value_release(value);
		*value = member;
	}
	return 0;
}

/* --- pipelines --- */

static int eval_pipe(struct eval *eval, const struct template_pipe *pipe,
		     const struct template_value *dot, struct template_value *out);

static int eval_operand(struct eval *eval, const struct template_operand *operand,
			const struct template_value *dot, struct template_value *out)
{
	AUTO_TEMPLATE_VALUE struct template_value value = TEMPLATE_VALUE_INIT;
	int rc = 0;

	switch (operand->kind) {
	case OPERAND_DOT:
		value = template_value_share(dot);
		break;
	case OPERAND_VARIABLE:
		value = template_value_share(&eval->variables[operand->slot]);
		break;
	case OPERAND_LITERAL:
		value.json = json_incref(operand->literal);
		value.safe = true;
		break;
	default:
		rc = eval_pipe(eval, operand->pipe, dot, &value);
		break;
	}
	if (rc == 0)
		rc = follow(eval, operand, &value);
	if (rc < 0)
		return rc;
	*out = value;
	value = (struct template_value)TEMPLATE_VALUE_INIT;
	return 0;
}

static void release_all(struct template_value *values, int n)
{
	for (int i = 0; i < n; i++)
		template_value_release(&values[i]);
}

/* What is wrong is said with its place. */
static int call(struct eval *eval, const struct template_operand *first,
		const struct template_call *call, struct template_value *out)
{
	struct err one = ERR_INIT;

	if (eval->data->style.headings && first->function->heading_is_first && call->n > 0) {
		*out = template_value_share(&call->args[0]);
		return 0;
	}
	if (first->function->run(call, out, &one) == 0)
		return count(eval, first->at,
			     json_is_string(out->json) ? json_string_length(out->json) : 0);
	if (one.kind != ERR_USAGE) {
		*eval->err = one;
		return err_code(eval->err);
	}
	return FAIL(eval, first->at, "%s", one.text);
}

/* `piped` is what comes from the command before; NULL: none. */
static int eval_function(struct eval *eval, const struct template_command *command,
			 const struct template_value *dot, const struct template_value *piped,
			 struct template_value *out)
{
	const struct template_operand *first = command->operands;
	struct template_value args[TEMPLATE_MAX_OPERANDS] = { TEMPLATE_VALUE_INIT };
	struct template_call made = { first->function->name, args, 0, &eval->data->style };
	bool decided = false;
	int rc = 0;

	for (const struct template_operand *operand = first->next; operand && rc == 0 && !decided;
	     operand = operand->next) {
		rc = eval_operand(eval, operand, dot, &args[made.n]);
		if (rc == 0)
			decided = template_function_ends_with(first->function, &args[made.n++]);
	}
	if (rc == 0 && piped && !decided)
		args[made.n++] = template_value_share(piped);
	if (rc == 0)
		rc = call(eval, first, &made, out);
	release_all(args, TEMPLATE_MAX_OPERANDS);
	return rc;
}

static int eval_commands(struct eval *eval, const struct template_pipe *pipe,
			 const struct template_value *dot, struct template_value *out)
{
	AUTO_TEMPLATE_VALUE struct template_value value = TEMPLATE_VALUE_INIT;

	for (const struct template_command *command = pipe->commands; command;
	     command = command->next) {
		struct template_value next = TEMPLATE_VALUE_INIT;
		const bool piped = command != pipe->commands;
		int rc = count(eval, pipe->at, 0);

		if (rc == 0 && command->operands->kind == OPERAND_FUNCTION)
			rc = eval_function(eval, command, dot, piped ? &value : NULL, &next);
		else if (rc == 0)
			rc = eval_operand(eval, command->operands, dot, &next);
		if (rc < 0)
			return rc;
		template_value_release(&value);
		value = next;
	}
	*out = value;
	value = (struct template_value)TEMPLATE_VALUE_INIT;
	return 0;
}

static void set_variable(struct eval *eval, int slot, const struct template_value *value)
{
	struct template_value shared = template_value_share(value);

	template_value_release(&eval->variables[slot]);
	eval->variables[slot] = shared;
}

static int eval_pipe(struct eval *eval, const struct template_pipe *pipe,
		     const struct template_value *dot, struct template_value *out)
{
	int rc = eval_commands(eval, pipe, dot, out);

	if (rc == 0 && pipe->nslots > 0)
		set_variable(eval, pipe->slots[0], out);
	return rc;
}

/* --- nodes --- */

static int eval_nodes(struct eval *eval, const struct template_node *node,
		      const struct template_value *dot);

static int eval_print(struct eval *eval, const struct template_node *node,
		      const struct template_value *dot)
{
	AUTO_TEMPLATE_VALUE struct template_value value = TEMPLATE_VALUE_INIT;
	size_t before = eval->out->len;

	if (eval_pipe(eval, node->pipe, dot, &value) < 0)
		return err_code(eval->err);
	if (node->pipe->nslots > 0)
		return 0;
	if (template_value_add(&value, &eval->data->style, eval->out, eval->err) < 0)
		return err_code(eval->err);
	return count(eval, node->at, eval->out->len - before);
}

static int eval_condition(struct eval *eval, const struct template_node *node,
			  const struct template_value *dot)
{
	AUTO_TEMPLATE_VALUE struct template_value value = TEMPLATE_VALUE_INIT;

	if (eval_pipe(eval, node->pipe, dot, &value) < 0)
		return err_code(eval->err);
	if (!template_value_is_true(&value))
		return eval_nodes(eval, node->otherwise, dot);
	return eval_nodes(eval, node->body, node->kind == NODE_WITH ? &value : dot);
}

/* One turn of a loop. 1: it was the last one. */
static int eval_turn(struct eval *eval, const struct template_node *node,
		     const struct template_value *key, const struct template_value *value)
{
	const struct template_pipe *pipe = node->pipe;

	if (pipe->nslots == 2)
		set_variable(eval, pipe->slots[0], key);
	if (pipe->nslots > 0)
		set_variable(eval, pipe->slots[pipe->nslots - 1], value);
	if (count(eval, node->at, 0) < 0 || eval_nodes(eval, node->body, value) < 0)
		return err_code(eval->err);

	const bool ends = eval->flow == FLOW_BREAK;

	eval->flow = FLOW_ON;
	return ends;
}

static int eval_list(struct eval *eval, const struct template_node *node,
		     const struct template_value *list)
{
	json_t *element;
	int rc = 0;
	size_t i;

	json_array_foreach (list->json, i, element) {
		AUTO_TEMPLATE_VALUE struct template_value key = {
			.json = json_integer((json_int_t)i),
		};
		const struct template_value value = { .json = element, .safe = list->safe };

		rc = eval_turn(eval, node, &key, &value);
		if (rc != 0)
			break;
	}
	return rc < 0 ? rc : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their names, as with Go. */
static int eval_members(struct eval *eval, const struct template_node *node,
			const struct template_value *object)
{
	const size_t n = json_object_size(object->json);
	const char **names = calloc(n, sizeof(*names));
	const char *name;
	json_t *member;
	size_t i = 0;
	int rc = 0;

	if (!names)
		return err_sys(eval->err, ENOMEM, "cannot print what was found");
	json_object_foreach (object->json, name, member)
		names[i++] = name;
	qsort(names, n, sizeof(*names), compare_names);
	for (i = 0; i < n && rc == 0; i++) {
		AUTO_TEMPLATE_VALUE struct template_value key = { .json = json_string(names[i]) };
		AUTO_TEMPLATE_VALUE struct template_value value = TEMPLATE_VALUE_INIT;

		(void)template_value_member(object, names[i], &value);
		rc = eval_turn(eval, node, &key, &value);
	}
	free(names);
	return rc < 0 ? rc : 0;
}

static int eval_range(struct eval *eval, const struct template_node *node,
		      const struct template_value *dot)
{
	AUTO_TEMPLATE_VALUE struct template_value value = TEMPLATE_VALUE_INIT;

	if (eval_commands(eval, node->pipe, dot, &value) < 0)
		return err_code(eval->err);
	if (eval->data->style.headings && json_is_string(value.json))
		return eval_turn(eval, node, &value, &value) < 0 ? err_code(eval->err) : 0;
	if (value.json && !json_is_array(value.json) && !json_is_object(value.json) &&
	    !json_is_null(value.json))
		return FAIL(eval, node->pipe->at, "range: this is no list, but %s",
			    template_value_kind(&value));
	if (!template_value_is_true(&value))
		return eval_nodes(eval, node->otherwise, dot);
	return json_is_array(value.json) ? eval_list(eval, node, &value) :
					   eval_members(eval, node, &value);
}

static int eval_node(struct eval *eval, const struct template_node *node,
		     const struct template_value *dot)
{
	switch (node->kind) {
	case NODE_TEXT:
		buf_addstr(eval->out, node->text);
		return count(eval, node->at, strlen(node->text));
	case NODE_PIPE:
		return eval_print(eval, node, dot);
	case NODE_IF:
	case NODE_WITH:
		return eval_condition(eval, node, dot);
	case NODE_RANGE:
		return eval_range(eval, node, dot);
	default:
		eval->flow = node->kind == NODE_BREAK ? FLOW_BREAK : FLOW_CONTINUE;
		return 0;
	}
}

static int eval_nodes(struct eval *eval, const struct template_node *node,
		      const struct template_value *dot)
{
	for (; node && eval->flow == FLOW_ON; node = node->next)
		if (eval_node(eval, node, dot) < 0)
			return err_code(eval->err);
	return 0;
}

int template_eval(const struct template *template, const struct template_data *data,
		  struct buf *out, struct err *err)
{
	struct eval eval = { .template = template, .data = data, .out = out, .err = err };
	int rc;

	/* Headings are texts of our own. */
	eval.variables[0] = (struct template_value){ .json = json_incref(data->object),
						     .safe = data->style.headings };
	rc = eval_nodes(&eval, template->nodes, &eval.variables[0]);
	release_all(eval.variables, TEMPLATE_MAX_VARIABLES);
	if (rc == 0 && buf_failed(out))
		rc = err_sys(err, ENOMEM, "cannot print what was found");
	return rc;
}

int template_add_line(struct buf *out, const struct template *template, json_t *object,
		      struct err *err)
{
	const struct template_data data = {
		.object = object,
		.style = { .null_text = "null" },
	};

	if (template_eval(template, &data, out, err) < 0)
		return err_code(err);
	buf_addch(out, '\n');
	return 0;
}
