/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/describe_maker.h"

#include <string.h>

#include "store/base/buf.h"

void maker_add(struct maker *maker, const char *key, json_t *value)
{
	maker->failures += json_object_set_new(maker->object, key, value) < 0;
}

json_t *maker_finish(struct maker *maker)
{
	if (maker->failures == 0)
		return maker->object;
	json_decref(maker->object);
	return NULL;
}

json_t *maker_text(const char *text)
{
	AUTO_BUF struct buf escaped = BUF_INIT;
	json_t *value;

	if (!text)
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	buf_add_escaped(&escaped, text, strlen(text));
	return buf_failed(&escaped) ? NULL : json_string(escaped.data);
}

json_t *maker_texts(char *const *texts)
{
	json_t *list = texts ? json_array() : json_null();

	for (; list && texts && *texts; texts++)
		if (json_array_append_new(list, maker_text(*texts)) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *maker_number(int64_t number)
{
	return number ? json_integer(number) : json_null();
}
