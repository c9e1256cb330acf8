/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/key_values.h"

#include <errno.h>
#include <string.h>

#include "store/base/cleanup.h"

int key_values_add(json_t **object, const char *text, struct err *err)
{
	size_t len = strcspn(text, "=");
	const char *value = text[len] ? text + len + 1 : "";

	if (!*object)
		*object = json_object();
	/* jansson refuses what is not UTF-8 and cannot be kept. */
	if (!*object || json_object_setn_new(*object, text, len, json_string(value)) < 0)
		return err_set(err, ERR_USAGE, EINVAL, "cannot keep, or not UTF-8: %s", text);
	return 0;
}

bool key_values_match(const json_t *object, const char *text)
{
	size_t len = strcspn(text, "=");
	AUTO_FREE char *key = strndup(text, len);
	const char *value = key ? json_string_value(json_object_get(object, key)) : NULL;

	return value && (text[len] == '\0' || strcmp(value, text + len + 1) == 0);
}
