/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/template_json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/text.h"
#include "store/base/cleanup.h"
#include "store/json.h"

/* Whether the first `len` bytes of `path` are the member `open`, and a dot. */
static bool is_below(const char *path, size_t len, const char *open)
{
	return open && len == strlen(open) + 1 && memcmp(path, open, len - 1) == 0;
}

/* The member that "State.Pid" leads to. */
static int follow(json_t *object, const char *path, const char *open, json_t **out, struct err *err)
{
	AUTO_BUF struct buf known = BUF_INIT;
	const char *rest = path;

	while (*rest) {
		size_t len = strcspn(rest, ".");
		AUTO_FREE char *key = strndup(rest, len);
		json_t *member = key ? json_object_get(object, key) : NULL;
		const char *name;
		json_t *value;

		if (!member && is_below(path, (size_t)(rest - path), open)) {
			*out = NULL;
			return 0;
		}
		if (!member) {
			err_set(err, ERR_USAGE, EINVAL, "--format: there is no field .%.*s",
				(int)(rest + len - path), path);
			json_object_foreach (object, name, value)
				buf_addf(&known, " .%s", name);
			if (known.len > 0 && !buf_failed(&known))
				err_hint(err, "fields there:%s", known.data);
			return err_code(err);
		}
		object = member;
		rest += len + (rest[len] == '.');
	}
	*out = object;
	return 0;
}

static int add_value(struct buf *buf, enum template_kind kind, json_t *value, struct err *err)
{
	AUTO_FREE char *text = NULL;

	if (!value) {
		buf_addstr(buf, kind == TEMPLATE_JSON ? "null" : "");
		return 0;
	}
	if (kind == TEMPLATE_VALUE && json_is_string(value)) {
		buf_add_escaped(buf, json_string_value(value), json_string_length(value));
		return 0;
	}
	if (json_print(value, false, &text, err) < 0)
		return err_code(err);
	text_add_safe_json(buf, text, strlen(text));
	return 0;
}

int template_add_json(struct buf *buf, const struct template *template, json_t *object,
		      const char *open, struct err *err)
{
	for (size_t i = 0; i < template->nparts; i++) {
		const struct template_part *part = &template->parts[i];
		json_t *value = NULL;

		if (part->kind == TEMPLATE_TEXT)
			buf_addstr(buf, part->text);
		else if (follow(object, part->text, open, &value, err) < 0 ||
			 add_value(buf, part->kind, value, err) < 0)
			return err_code(err);
	}
	buf_addch(buf, '\n');
	return 0;
}
