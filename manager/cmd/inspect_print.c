/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/inspect_print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/template_json.h"
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

int inspect_print(const struct inspect_format *format, json_t *found, struct err *err)
{
	AUTO_BUF struct buf out = BUF_INIT;
	AUTO_FREE char *text = NULL;
	json_t *object;
	size_t i;

	if (format->has_template) {
		json_array_foreach (found, i, object)
			if (template_add_json(&out, &format->template, object, NULL, err) < 0)
				return err_code(err);
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
	return 0;
}
