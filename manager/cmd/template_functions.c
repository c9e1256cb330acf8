/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/template_functions.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "manager/cmd/template_compare.h"
#include "manager/cmd/template_tree.h"
#include "manager/cmd/text.h"
#include "store/base/cleanup.h"

#define BLANKS_MAX 1000

/* What is wrong with one of what it takes. */
static int refuse(const struct template_call *call, const char *wanted,
		  const struct template_value *given, struct err *err)
{
	return err_set(err, ERR_USAGE, EINVAL, "%s: this is not %s, but %s", call->name, wanted,
		       template_value_kind(given));
}

static int whole_number(const struct template_call *call, int i, int64_t max, int64_t *out,
			struct err *err)
{
	const json_t *json = call->args[i].json;

	if (!json_is_integer(json))
		return refuse(call, "a whole number", &call->args[i], err);
	*out = json_integer_value(json);
	if (*out < 0 || *out > max)
		return err_set(err, ERR_USAGE, ERANGE, "%s: %lld is not from 0 to %lld", call->name,
			       (long long)*out, (long long)max);
	return 0;
}

/* What is missing is a text that is empty. */
static int text_arg(const struct template_call *call, int i, const char **out, size_t *len,
		    struct err *err)
{
	const json_t *json = call->args[i].json;

	if (!json || json_is_null(json)) {
		*out = "";
		*len = 0;
		return 0;
	}
	if (!json_is_string(json))
		return refuse(call, "text", &call->args[i], err);
	*out = json_string_value(json);
	*len = json_string_length(json);
	return 0;
}

/* A value that is made of what it was given is as safe as that. */
static int make_text(struct buf *text, bool safe, struct template_value *out, struct err *err)
{
	if (text->len > TEMPLATE_TEXT_MAX)
		return err_set(err, ERR_USAGE, EFBIG, "this makes a text of more than 16 MiB");
	if (template_value_from(text, out, err) < 0)
		return err_code(err);
	out->safe = safe;
	return 0;
}

static int make(json_t *json, struct template_value *out, struct err *err)
{
	if (!json)
		return err_sys(err, ENOMEM, "cannot make the text of a template");
	*out = (struct template_value){ .json = json };
	return 0;
}

/* --- and, or, not --- */

/* The first that decides, or the last: who evaluates stops there. */
static int run_last(const struct template_call *call, struct template_value *out, struct err *err)
{
	(void)err;
	*out = template_value_share(&call->args[call->n - 1]);
	return 0;
}

static int run_not(const struct template_call *call, struct template_value *out, struct err *err)
{
	return make(json_boolean(!template_value_is_true(&call->args[0])), out, err);
}

/* --- parts --- */

static int run_len(const struct template_call *call, struct template_value *out, struct err *err)
{
	const json_t *json = call->args[0].json;

	if (json_is_string(json))
		return make(json_integer((json_int_t)json_string_length(json)), out, err);
	if (json_is_array(json))
		return make(json_integer((json_int_t)json_array_size(json)), out, err);
	if (json_is_object(json))
		return make(json_integer((json_int_t)json_object_size(json)), out, err);
	if (!json || json_is_null(json))
		return make(json_integer(0), out, err);
	return refuse(call, "text, a list or an object", &call->args[0], err);
}

static int step_into(const struct template_call *call, int i, struct template_value *value,
		     struct err *err)
{
	struct template_value found = TEMPLATE_VALUE_INIT;
	int64_t n;

	if (!value->json || json_is_null(value->json)) {
		template_value_release(value);
		return 0;
	}
	if (json_is_object(value->json)) {
		const char *key;
		size_t len;

		if (text_arg(call, i, &key, &len, err) < 0)
			return err_code(err);
		(void)template_value_member(value, key, &found);
	} else if (json_is_array(value->json)) {
		if (whole_number(call, i, INT64_MAX, &n, err) < 0)
			return err_code(err);
		if ((uint64_t)n >= json_array_size(value->json))
			return err_set(err, ERR_USAGE, ERANGE,
				       "index: there is no number %lld, but %zu from 0 on",
				       (long long)n, json_array_size(value->json));
		found.json = json_incref(json_array_get(value->json, (size_t)n));
	} else {
		return refuse(call, "a list or an object", value, err);
	}
	found.safe = value->safe;
	template_value_release(value);
	*value = found;
	return 0;
}

static int run_index(const struct template_call *call, struct template_value *out, struct err *err)
{
	AUTO_TEMPLATE_VALUE struct template_value value = template_value_share(&call->args[0]);

	for (int i = 1; i < call->n; i++)
		if (step_into(call, i, &value, err) < 0)
			return err_code(err);
	*out = value;
	value = (struct template_value)TEMPLATE_VALUE_INIT;
	return 0;
}

/* From and to which, of what has `size`: slice X FROM TO, where both may be missing. */
static int slice_bounds(const struct template_call *call, size_t size, size_t *from, size_t *to,
			struct err *err)
{
	int64_t first = 0, end = (int64_t)size;

	if ((call->n > 1 && whole_number(call, 1, (int64_t)size, &first, err) < 0) ||
	    (call->n > 2 && whole_number(call, 2, (int64_t)size, &end, err) < 0))
		return err_code(err);
	if (first > end)
		return err_set(err, ERR_USAGE, ERANGE, "slice: %lld is behind %lld",
			       (long long)first, (long long)end);
	*from = (size_t)first;
	*to = (size_t)end;
	return 0;
}

static int slice_list(const struct template_call *call, struct template_value *out, struct err *err)
{
	const json_t *list = call->args[0].json;
	json_t *some;
	size_t from = 0, to = 0;

	if (slice_bounds(call, json_array_size(list), &from, &to, err) < 0)
		return err_code(err);
	some = json_array();
	for (; some && from < to; from++)
		if (json_array_append(some, json_array_get(list, from)) < 0) {
			json_decref(some);
			some = NULL;
		}
	return make(some, out, err);
}

static int run_slice(const struct template_call *call, struct template_value *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *whole;
	size_t len, from = 0, to = 0;

	if (json_is_array(call->args[0].json))
		return slice_list(call, out, err);
	if (text_arg(call, 0, &whole, &len, err) < 0 ||
	    slice_bounds(call, len, &from, &to, err) < 0)
		return err_code(err);
	/* Never half of a character. */
	while (from < to && (whole[from] & 0xc0) == 0x80)
		from++;
	while (to > from && to < len && (whole[to] & 0xc0) == 0x80)
		to--;
	buf_add(&text, whole + from, to - from);
	return make_text(&text, call->args[0].safe, out, err);
}

/* "com.example.bird-song" heads a column as BIRD SONG, as with Docker. */
static int label_heading(const struct template_call *call, struct template_value *out,
			 struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *key, *dot;
	size_t len;

	if (text_arg(call, 1, &key, &len, err) < 0)
		return err_code(err);
	dot = strrchr(key, '.');
	for (const char *p = dot ? dot + 1 : key; *p; p++)
		buf_addch(&text, *p == '-' || *p == '_' ? ' ' : (char)toupper((unsigned char)*p));
	return make_text(&text, call->args[1].safe, out, err);
}

/* Docker's labels are a text of "key=value,…" in its lists, and an object elsewhere. */
static int run_label(const struct template_call *call, struct template_value *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *key, *labels;
	size_t len, all;

	if (call->style->headings)
		return label_heading(call, out, err);
	if (!json_is_string(call->args[0].json))
		return run_index(call, out, err);
	if (text_arg(call, 1, &key, &len, err) < 0 || text_arg(call, 0, &labels, &all, err) < 0)
		return err_code(err);
	while (labels) {
		size_t one = strcspn(labels, ",");

		if (one > len && labels[len] == '=' && memcmp(labels, key, len) == 0)
			buf_add(&text, labels + len + 1, one - len - 1);
		labels = labels[one] && text.len == 0 ? labels + one + 1 : NULL;
	}
	return make_text(&text, call->args[0].safe, out, err);
}

/* --- text --- */

static int add_all(const struct template_call *call, const char *between, struct buf *text,
		   struct err *err)
{
	for (int i = 0; i < call->n; i++) {
		buf_addstr(text, i ? between : "");
		if (template_value_add(&call->args[i], call->style, text, err) < 0)
			return err_code(err);
	}
	return 0;
}

/* Go has no blank between texts, which is what people print. */
static int run_print(const struct template_call *call, struct template_value *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;

	if (add_all(call, "", &text, err) < 0)
		return err_code(err);
	return make_text(&text, true, out, err);
}

static int run_println(const struct template_call *call, struct template_value *out,
		       struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;

	if (add_all(call, " ", &text, err) < 0)
		return err_code(err);
	buf_addch(&text, '\n');
	return make_text(&text, true, out, err);
}

static int run_json(const struct template_call *call, struct template_value *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;

	if (template_value_add_json(&call->args[0], &text, err) < 0)
		return err_code(err);
	return make_text(&text, true, out, err);
}

static int run_join(const struct template_call *call, struct template_value *out, struct err *err)
{
	const json_t *list = call->args[0].json;
	AUTO_BUF struct buf text = BUF_INIT;
	json_t *element;
	size_t i;

	if (list && !json_is_array(list) && !json_is_null(list))
		return refuse(call, "a list", &call->args[0], err);
	if (!json_is_string(call->args[1].json))
		return refuse(call, "text", &call->args[1], err);
	json_array_foreach (list, i, element) {
		const struct template_value value = { .json = element };

		if (i > 0 && template_value_add(&call->args[1], call->style, &text, err) < 0)
			return err_code(err);
		if (template_value_add(&value, call->style, &text, err) < 0)
			return err_code(err);
	}
	return make_text(&text, true, out, err);
}

static int run_split(const struct template_call *call, struct template_value *out, struct err *err)
{
	const char *text, *by;
	size_t len, by_len;
	json_t *list;

	if (text_arg(call, 0, &text, &len, err) < 0 || text_arg(call, 1, &by, &by_len, err) < 0)
		return err_code(err);
	if (by_len == 0)
		return err_set(err, ERR_USAGE, EINVAL, "split: by nothing");
	list = json_array();
	for (const char *end; list && text; text = end ? end + by_len : NULL) {
		end = strstr(text, by);
		if (json_array_append_new(list, json_stringn(text, end ? (size_t)(end - text) :
									 strlen(text))) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	if (make(list, out, err) < 0)
		return err_code(err);
	out->safe = call->args[0].safe;
	return 0;
}

/* Letters of ASCII: for others there is no table here. */
static int change_case(const struct template_call *call, int (*change)(int), bool only_first,
		       struct template_value *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *p;
	size_t len;
	bool first = true;

	if (text_arg(call, 0, &p, &len, err) < 0)
		return err_code(err);
	for (; *p; p++) {
		unsigned char c = (unsigned char)*p;

		buf_addch(&text, c < 0x80 && (first || !only_first) ? (char)change(c) : *p);
		first = c == ' ' || c == '\t' || c == '\n';
	}
	return make_text(&text, call->args[0].safe, out, err);
}

static int run_lower(const struct template_call *call, struct template_value *out, struct err *err)
{
	return change_case(call, tolower, false, out, err);
}

static int run_upper(const struct template_call *call, struct template_value *out, struct err *err)
{
	return change_case(call, toupper, false, out, err);
}

static int run_title(const struct template_call *call, struct template_value *out, struct err *err)
{
	return change_case(call, toupper, true, out, err);
}

static int run_truncate(const struct template_call *call, struct template_value *out,
			struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *whole;
	size_t len;
	int64_t columns;

	if (text_arg(call, 0, &whole, &len, err) < 0 ||
	    whole_number(call, 1, INT32_MAX, &columns, err) < 0)
		return err_code(err);
	buf_add(&text, whole, text_fit(whole, len, (size_t)columns));
	return make_text(&text, call->args[0].safe, out, err);
}

/* Nothing has no blanks round it, as with Docker. */
static int run_pad(const struct template_call *call, struct template_value *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	int64_t before, behind;
	const char *whole;
	size_t len;

	if (text_arg(call, 0, &whole, &len, err) < 0 ||
	    whole_number(call, 1, BLANKS_MAX, &before, err) < 0 ||
	    whole_number(call, 2, BLANKS_MAX, &behind, err) < 0)
		return err_code(err);
	if (len > 0)
		buf_addf(&text, "%*s%s%*s", (int)before, "", whole, (int)behind, "");
	return make_text(&text, call->args[0].safe, out, err);
}

/* --- the table --- */

#define MANY (TEMPLATE_MAX_OPERANDS)

static const struct template_function functions[] = {
	{ "and", 1, MANY, run_last, false },
	{ "or", 1, MANY, run_last, false },
	{ "not", 1, 1, run_not, false },
	{ "eq", 2, MANY, template_compare_eq, false },
	{ "ne", 2, 2, template_compare_ne, false },
	{ "lt", 2, 2, template_compare_lt, false },
	{ "le", 2, 2, template_compare_le, false },
	{ "gt", 2, 2, template_compare_gt, false },
	{ "ge", 2, 2, template_compare_ge, false },
	{ "len", 1, 1, run_len, true },
	{ "index", 1, MANY, run_index, true },
	{ "slice", 1, 3, run_slice, true },
	{ "print", 0, MANY, run_print, false },
	{ "println", 0, MANY, run_println, false },
	{ "printf", 1, MANY, template_printf, false },
	{ "json", 1, 1, run_json, true },
	{ "join", 2, 2, run_join, true },
	{ "split", 2, 2, run_split, true },
	{ "lower", 1, 1, run_lower, true },
	{ "upper", 1, 1, run_upper, true },
	{ "title", 1, 1, run_title, true },
	{ "truncate", 2, 2, run_truncate, true },
	{ "pad", 3, 3, run_pad, true },
};

const struct template_function template_function_label = { "Label", 2, 2, run_label, false };

const struct template_function *template_function_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strlen(functions[i].name) == len && memcmp(functions[i].name, name, len) == 0)
			return &functions[i];
	return NULL;
}

void template_function_names(struct buf *out)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		buf_addf(out, " %s", functions[i].name);
}

bool template_function_ends_with(const struct template_function *function,
				 const struct template_value *value)
{
	bool is_true = template_value_is_true(value);

	if (function->run != run_last)
		return false;
	return strcmp(function->name, "and") == 0 ? !is_true : is_true;
}
