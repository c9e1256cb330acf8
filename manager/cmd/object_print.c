/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/object_print.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/human.h"
#include "manager/cmd/template.h"
#include "manager/cmd/template_eval.h"
#include "manager/cmd/text.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/json.h"

static void add_value(struct buf *out, const json_t *value, enum object_value kind)
{
	char size[HUMAN_MAX];

	if (json_is_string(value)) {
		buf_add_escaped(out, json_string_value(value), json_string_length(value));
	} else if (json_is_integer(value) && kind == OBJECT_SIZE) {
		human_size(json_integer_value(value), size);
		buf_addstr(out, size);
	} else if (json_is_integer(value)) {
		buf_addf(out, "%lld", (long long)json_integer_value(value));
	}
}

/* False where there is nothing to be shown. */
static bool add_values(struct buf *out, json_t *value, enum object_value kind)
{
	json_t *one;
	size_t i;

	if (!value || json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0))
		return false;
	if (!json_is_array(value)) {
		add_value(out, value, kind);
		return true;
	}
	json_array_foreach (value, i, one) {
		buf_addstr(out, i ? ", " : "");
		add_value(out, one, kind);
	}
	return true;
}

static void add_line(struct buf *out, size_t width, const char *title, json_t *value,
		     enum object_value kind)
{
	AUTO_BUF struct buf text = BUF_INIT;

	if (add_values(&text, value, kind))
		buf_addf(out, "%-*s  %s\n", (int)width, title, text.data ? text.data : "");
}

static void widen(size_t *width, const char *title)
{
	if (strlen(title) > *width)
		*width = strlen(title);
}

static void add_lines(struct buf *out, json_t *object, const struct object_line *lines)
{
	const char *name;
	size_t width = 0;
	json_t *member;

	for (const struct object_line *line = lines; line->key; line++) {
		widen(&width, line->title);
		if (line->value == OBJECT_MEMBERS)
			json_object_foreach (json_object_get(object, line->key), name, member)
				widen(&width, name);
	}
	for (const struct object_line *line = lines; line->key; line++) {
		json_t *value = json_object_get(object, line->key);

		if (line->value != OBJECT_MEMBERS)
			add_line(out, width, line->title, value, line->value);
		else
			json_object_foreach (value, name, member)
				add_line(out, width, name, member, OBJECT_PLAIN);
	}
}

static int add_json(struct buf *out, const json_t *object, struct err *err)
{
	AUTO_FREE char *text = NULL;
	int rc = json_print(object, true, &text, err);

	if (rc < 0)
		return rc;
	text_add_safe_json(out, text, strlen(text));
	buf_addch(out, '\n');
	return 0;
}

int object_print(json_t *object, const struct object_line *lines, const char *format,
		 struct err *err)
{
	AUTO_TEMPLATE struct template template = TEMPLATE_INIT;
	AUTO_BUF struct buf out = BUF_INIT;
	int rc = 0;

	if (!format)
		add_lines(&out, object, lines);
	else if (strcmp(format, "json") == 0)
		rc = add_json(&out, object, err);
	else
		rc = template_parse(format, &template, err);
	if (rc == 0 && format && strcmp(format, "json") != 0)
		rc = template_add_line(&out, &template, object, err);
	if (rc < 0)
		return rc;
	if (buf_failed(&out))
		return err_sys(err, ENOMEM, "cannot print what is known");
	fwrite(out.data, 1, out.len, stdout);
	return 0;
}
