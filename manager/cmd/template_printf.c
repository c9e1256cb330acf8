/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/template_functions.h"
#include "manager/cmd/text.h"

#define WIDTH_MAX 1000

/* %-20.3s */
struct verb {
	bool left, zeros, plus, blank;
	int width;
	int precision; /* -1: none */
	char letter;
};

static int take_number(const char **p)
{
	int n = 0;

	for (; isdigit((unsigned char)**p); (*p)++)
		n = n > WIDTH_MAX ? n : n * 10 + (**p - '0');
	return n;
}

/* *p is behind the %, and moved behind the letter. */
static int parse_verb(const char **p, struct verb *out, struct err *err)
{
	struct verb verb = { .precision = -1 };
	const char *begin = *p;

	for (; **p && strchr("-0+ ", **p); (*p)++) {
		verb.left |= **p == '-';
		verb.zeros |= **p == '0';
		verb.plus |= **p == '+';
		verb.blank |= **p == ' ';
	}
	verb.width = take_number(p);
	if (**p == '.') {
		(*p)++;
		verb.precision = take_number(p);
	}
	verb.letter = **p;
	if (verb.letter)
		(*p)++;
	if (!verb.letter || !strchr("svqdxXotfeg%", verb.letter))
		return err_set(err, ERR_USAGE, EINVAL, "printf: not understood: %%%.8s", begin);
	if (verb.width > WIDTH_MAX || verb.precision > WIDTH_MAX)
		return err_set(err, ERR_USAGE, ERANGE, "printf: wider than %d: %%%.8s", WIDTH_MAX,
			       begin);
	*out = verb;
	return 0;
}

static void add_padded(const struct verb *verb, const char *text, size_t len, struct buf *out)
{
	size_t columns = text_width(text, len);
	int blanks = columns < (size_t)verb->width ? verb->width - (int)columns : 0;

	if (!verb->left)
		buf_addf(out, "%*s", blanks, "");
	buf_add(out, text, len);
	if (verb->left)
		buf_addf(out, "%*s", blanks, "");
}

static int refuse(const struct verb *verb, const char *wanted, const struct template_value *value,
		  struct err *err)
{
	return err_set(err, ERR_USAGE, EINVAL, "printf: %%%c is for %s, and this is %s",
		       verb->letter, wanted, template_value_kind(value));
}

/* Zeros stand between the sign and the digits. */
static void add_digits(const struct verb *verb, bool negative, const char *digits, struct buf *out)
{
	const char *sign = negative ? "-" : verb->plus ? "+" : verb->blank ? " " : "";
	AUTO_BUF struct buf text = BUF_INIT;
	int zeros = 0;

	if (verb->zeros && !verb->left)
		zeros = verb->width - (int)strlen(sign) - (int)strlen(digits);
	buf_addstr(&text, sign);
	for (; zeros > 0; zeros--)
		buf_addch(&text, '0');
	buf_addstr(&text, digits);
	add_padded(verb, text.data, text.len, out);
}

static int add_integer(const struct verb *verb, const struct template_value *value, struct buf *out,
		       struct err *err)
{
	const json_int_t number = json_integer_value(value->json);
	unsigned long long n;
	char digits[32];

	if (!json_is_integer(value->json))
		return refuse(verb, "a whole number", value, err);
	n = number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
	if (verb->letter == 'd')
		snprintf(digits, sizeof(digits), "%llu", n);
	else if (verb->letter == 'o')
		snprintf(digits, sizeof(digits), "%llo", n);
	else
		snprintf(digits, sizeof(digits), verb->letter == 'x' ? "%llx" : "%llX", n);
	add_digits(verb, number < 0, digits, out);
	return 0;
}

static int add_real(const struct verb *verb, const struct template_value *value, struct buf *out,
		    struct err *err)
{
	int precision = verb->precision < 0 ? 6 : verb->precision > 100 ? 100 : verb->precision;
	char digits[512];
	double number;

	if (!json_is_number(value->json))
		return refuse(verb, "a number", value, err);
	number = json_number_value(value->json);
	if (verb->letter == 'f')
		snprintf(digits, sizeof(digits), "%.*f", precision, number < 0 ? -number : number);
	else if (verb->letter == 'e')
		snprintf(digits, sizeof(digits), "%.*e", precision, number < 0 ? -number : number);
	else
		snprintf(digits, sizeof(digits), "%.*g", verb->precision < 0 ? 17 : precision,
			 number < 0 ? -number : number);
	add_digits(verb, number < 0, digits, out);
	return 0;
}

static int add_text(const struct verb *verb, const struct template_value *value,
		    const struct template_style *style, struct buf *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	size_t len;
	int rc = verb->letter == 'q' ? template_value_add_json(value, &text, err) :
				       template_value_add(value, style, &text, err);

	if (rc < 0)
		return rc;
	len = text.len;
	if (verb->precision >= 0 && !style->headings && len > 0)
		len = text_fit(text.data, len, (size_t)verb->precision);
	add_padded(verb, len ? text.data : "", len, out);
	return 0;
}

static int add_verb(const struct verb *verb, const struct template_call *call, int i,
		    struct buf *out, struct err *err)
{
	const struct template_value *value = &call->args[i];

	if (i >= call->n)
		return err_set(err, ERR_USAGE, EINVAL, "printf: there is nothing for %%%c",
			       verb->letter);
	if (call->style->headings || strchr("svq", verb->letter))
		return add_text(verb, value, call->style, out, err);
	if (strchr("dxXo", verb->letter))
		return add_integer(verb, value, out, err);
	if (strchr("feg", verb->letter))
		return add_real(verb, value, out, err);
	if (!json_is_boolean(value->json))
		return refuse(verb, "true and false", value, err);
	return add_text(verb, value, call->style, out, err);
}

int template_printf(const struct template_call *call, struct template_value *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *p = json_string_value(call->args[0].json);
	int next = 1;

	if (!p)
		return err_set(err, ERR_USAGE, EINVAL,
			       "printf: what comes first is no text, but %s",
			       template_value_kind(&call->args[0]));
	while (*p) {
		struct verb verb;
		size_t len = strcspn(p, "%");

		if (call->args[0].safe)
			buf_add(&text, p, len);
		else
			buf_add_escaped(&text, p, len);
		p += len;
		if (!*p)
			break;
		p++;
		if (parse_verb(&p, &verb, err) < 0)
			return err_code(err);
		if (verb.letter == '%')
			buf_addch(&text, '%');
		else if (add_verb(&verb, call, next++, &text, err) < 0)
			return err_code(err);
	}
	if (next < call->n)
		return err_set(err, ERR_USAGE, EINVAL, "printf: there is no %% for number %d",
			       next);
	if (text.len > TEMPLATE_TEXT_MAX)
		return err_set(err, ERR_USAGE, EFBIG, "this makes a text of more than 16 MiB");
	return template_value_from(&text, out, err);
}
