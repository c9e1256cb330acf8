/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/template_compare.h"

#include <errno.h>
#include <string.h>

static bool is_missing(const struct template_value *value)
{
	return !value->json || json_is_null(value->json);
}

/* Where null is printed as nothing, it is the same as a text that is empty. */
static bool is_nothing(const struct template_call *call, const struct template_value *value)
{
	return is_missing(value) || (json_is_string(value->json) && !call->style->null_text[0] &&
				     json_string_length(value->json) == 0);
}

/* Numbers have the same kind; so have true and false. */
static int kind_of(const struct template_value *value)
{
	if (json_is_number(value->json))
		return JSON_INTEGER;
	if (json_is_boolean(value->json))
		return JSON_TRUE;
	return json_typeof(value->json);
}

static int refuse(const struct template_call *call, const struct template_value *a,
		  const struct template_value *b, struct err *err)
{
	return err_set(err, ERR_USAGE, EINVAL, "%s: %s and %s are not compared", call->name,
		       template_value_kind(a), template_value_kind(b));
}

static int sign(double a, double b)
{
	return (a > b) - (a < b);
}

static int order_numbers(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b))
		return (json_integer_value(a) > json_integer_value(b)) -
		       (json_integer_value(a) < json_integer_value(b));
	return sign(json_number_value(a), json_number_value(b));
}

/* *order is below, at or above 0. */
static int compare(const struct template_call *call, int i, int *order, struct err *err)
{
	const struct template_value *a = &call->args[0], *b = &call->args[i];

	if (kind_of(a) != kind_of(b))
		return refuse(call, a, b, err);
	if (kind_of(a) == JSON_INTEGER)
		*order = order_numbers(a->json, b->json);
	else if (kind_of(a) == JSON_STRING)
		*order = strcmp(json_string_value(a->json), json_string_value(b->json));
	else
		return refuse(call, a, b, err);
	return 0;
}

static int is_equal(const struct template_call *call, int i, bool *equal, struct err *err)
{
	const struct template_value *a = &call->args[0], *b = &call->args[i];
	int order = 1;

	*equal = false;
	if (is_missing(a) || is_missing(b)) {
		*equal = is_nothing(call, a) && is_nothing(call, b);
		return 0;
	}
	if (json_is_boolean(a->json) && json_is_boolean(b->json)) {
		*equal = json_is_true(a->json) == json_is_true(b->json);
		return 0;
	}
	/* A heading is what it is called, whatever kind its values have. */
	if (call->style->headings)
		return 0;
	if (compare(call, i, &order, err) < 0)
		return err_code(err);
	*equal = order == 0;
	return 0;
}

static int answer(bool yes, struct template_value *out)
{
	*out = (struct template_value){ .json = json_boolean(yes) };
	return 0;
}

int template_compare_eq(const struct template_call *call, struct template_value *out,
			struct err *err)
{
	bool equal = false;

	for (int i = 1; i < call->n && !equal; i++)
		if (is_equal(call, i, &equal, err) < 0)
			return err_code(err);
	return answer(equal, out);
}

int template_compare_ne(const struct template_call *call, struct template_value *out,
			struct err *err)
{
	bool equal;

	if (is_equal(call, 1, &equal, err) < 0)
		return err_code(err);
	return answer(!equal, out);
}

/* Whether the first is below the second; what is missing is not. */
static int order_of(const struct template_call *call, int *order, bool *known, struct err *err)
{
	*known = !call->style->headings && !is_missing(&call->args[0]) &&
		 !is_missing(&call->args[1]);
	*order = 0;
	return *known ? compare(call, 1, order, err) : 0;
}

#define ORDER(name, test)                                                                         \
	int template_compare_##name(const struct template_call *call, struct template_value *out, \
				    struct err *err)                                              \
	{                                                                                         \
		bool known;                                                                       \
		int order;                                                                        \
                                                                                                  \
		if (order_of(call, &order, &known, err) < 0)                                      \
			return err_code(err);                                                     \
		return answer(known && (test), out);                                              \
	}
ORDER(lt, order < 0)
ORDER(le, order <= 0)
ORDER(gt, order > 0)
ORDER(ge, order >= 0)
