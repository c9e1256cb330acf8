/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/inspect_print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/report.h"
#include "manager/cmd/template_eval.h"
#include "manager/cmd/text.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

void inspect_format_release(struct inspect_format *format)
{
	template_release(&format->template);
	format->has_template = false;
}

int inspect_format_set(struct inspect_format *format, const char *value, struct err *err)
{
	inspect_format_release(format);
	if (strcmp(value, "json") == 0)
		return 0;
	format->has_template = true;
	return template_parse(value, &format->template, err);
}

/* An image has several, and an ID. */
static const char *name_of(json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "Name"));

	return name ? name : json_string_value(json_object_get(object, "Id"));
}

/* Returns the exit status. One that the template fails on is told, the others are printed. */
static int add_lines(struct buf *out, const struct template *template, json_t *found)
{
	json_t *object;
	int status = 0;
	size_t i;

	json_array_foreach (found, i, object) {
		AUTO_BUF struct buf line = BUF_INIT;
		struct err one = ERR_INIT;

		if (template_add_line(&line, template, object, &one) == 0) {
			buf_add(out, line.data, line.len);
			continue;
		}
		if (json_array_size(found) > 1)
			err_wrap(&one, "%s", name_of(object));
		report_error(&one);
		status = EXIT_CMAN;
	}
	return status;
}

int inspect_print(const struct inspect_format *format, json_t *found, struct err *err)
{
	AUTO_BUF struct buf out = BUF_INIT;
	AUTO_FREE char *text = NULL;
	int status = 0;

	if (format->has_template) {
		status = add_lines(&out, &format->template, found);
	} else {
		if (json_print(found, true, &text, err) < 0)
			return err_code(err);
		text_add_safe_json(&out, text, strlen(text));
		buf_addch(&out, '\n');
	}
	if (buf_failed(&out))
		return err_sys(err, ENOMEM, "cannot print what was found");
	if (out.len > 0)
		fwrite(out.data, 1, out.len, stdout);
	return status;
}
