/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/template_value.h"

#include <errno.h>
#include <string.h>

#include "manager/cmd/text.h"
#include "store/base/cleanup.h"
#include "store/json.h"

void template_value_release(struct template_value *value)
{
	json_decref(value->json);
	*value = (struct template_value)TEMPLATE_VALUE_INIT;
}

struct template_value template_value_share(const struct template_value *value)
{
	json_incref(value->json);
	return *value;
}

bool template_value_is_true(const struct template_value *value)
{
	const json_t *json = value->json;

	if (!json)
		return false;
	switch (json_typeof(json)) {
	case JSON_STRING:
		return json_string_length(json) > 0;
	case JSON_INTEGER:
		return json_integer_value(json) != 0;
	case JSON_REAL:
		return json_real_value(json) != 0;
	case JSON_ARRAY:
		return json_array_size(json) > 0;
	case JSON_OBJECT:
		return json_object_size(json) > 0;
	default:
		return json_is_true(json);
	}
}

int template_value_add_json(const struct template_value *value, struct buf *out, struct err *err)
{
	AUTO_FREE char *text = NULL;

	if (!value->json) {
		buf_addstr(out, "null");
		return 0;
	}
	if (json_is_string(value->json)) {
		text_add_json(out, json_string_value(value->json), json_string_length(value->json));
		return 0;
	}
	if (json_print(value->json, false, &text, err) < 0)
		return err_code(err);
	text_add_safe_json(out, text, strlen(text));
	return 0;
}

int template_value_add(const struct template_value *value, const struct template_style *style,
		       struct buf *out, struct err *err)
{
	const json_t *json = value->json;

	if (!json)
		return 0;
	if (json_is_null(json))
		buf_addstr(out, style->null_text);
	else if (!json_is_string(json))
		return template_value_add_json(value, out, err);
	else if (value->safe)
		buf_add(out, json_string_value(json), json_string_length(json));
	else
		buf_add_escaped(out, json_string_value(json), json_string_length(json));
	return 0;
}

const char *template_value_kind(const struct template_value *value)
{
	static const char *const kinds[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",  [JSON_STRING] = "text",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",	     [JSON_NULL] = "null",
	};

	return value->json ? kinds[json_typeof(value->json)] : "nothing";
}

int template_value_from(struct buf *text, struct template_value *out, struct err *err)
{
	json_t *json = NULL;

	if (!buf_failed(text))
		json = json_stringn(text->len ? text->data : "", text->len);
	if (!json)
		return err_sys(err, ENOMEM, "cannot make the text of a template");
	buf_reset(text);
	*out = (struct template_value){ .json = json, .safe = true };
	return 0;
}

/* Objects with these names have what members somebody gave them. */
static bool is_open(const char *name)
{
	static const char *const names[] = { "Annotations", "Attributes",   "Labels",
					     "Networks",    "Options",	    "Ports",
					     "Sysctls",	    "Volumes",	    "Tmpfs",
					     "annotations", "ExposedPorts", "sysctl" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

bool template_value_member(const struct template_value *object, const char *name,
			   struct template_value *out)
{
	json_t *member = json_object_get(object->json, name);

	if (!json_is_object(object->json))
		return false;
	*out = (struct template_value){ .json = json_incref(member), .open = is_open(name) };
	return true;
}
