/* SPDX-License-Identifier: Apache-2.0 */
#include "store/json_without.h"

#include <stdbool.h>
#include <string.h>

/* How deep members are that may be left out. */
#define LEVELS 2

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_blanks(const char *text, size_t len, size_t at)
{
	while (at < len && is_blank(text[at]))
		at++;
	return at;
}

/* Behind the string that begins at `at`; `len` where it does not end. */
static size_t skip_string(const char *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++)
		at += text[at] == '\\';
	return at < len ? at + 1 : len;
}

/* At the comma or bracket behind the value that begins at `at`, or `len`. */
static size_t skip_value(const char *text, size_t len, size_t at)
{
	int depth = 0;

	while (at < len) {
		char c = text[at];

		if (c == '"') {
			at = skip_string(text, len, at);
			continue;
		}
		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			return at;
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		at++;
	}
	return len;
}

static bool is_one_of(const char *const *keys, const char *key, size_t len)
{
	for (; *keys; keys++)
		if (strlen(*keys) == len && memcmp(*keys, key, len) == 0)
			return true;
	return false;
}

/* A comma that stands before what was left out and is last now. */
static void drop_comma(struct buf *out)
{
	size_t len = out->len;

	while (len > 0 && is_blank(out->data[len - 1]))
		len--;
	if (len > 0 && out->data[len - 1] == ',')
		buf_truncate(out, len - 1);
}

/* Where the value begins of a key that ends before `at`, `len` where what ends there is none. */
static size_t value_of_key(const char *text, size_t len, size_t at)
{
	at = skip_blanks(text, len, at);
	return at < len && text[at] == ':' ? at + 1 : len;
}

void json_add_without(struct buf *out, const char *text, size_t len, const char *const *keys)
{
	size_t at = 0, copied = 0;
	int depth = 0;

	while (at < len) {
		const char c = text[at];
		const size_t begin = at;
		size_t value;

		if (c != '"' || depth > LEVELS) {
			depth += (c == '{' || c == '[') - (c == '}' || c == ']');
			at = c == '"' ? skip_string(text, len, at) : at + 1;
			continue;
		}
		at = skip_string(text, len, at);
		value = value_of_key(text, len, at);
		if (value == len || !is_one_of(keys, text + begin + 1, at - begin - 2))
			continue;
		buf_add(out, text + copied, begin - copied);
		at = skip_value(text, len, value);
		if (at < len && text[at] == ',')
			at++;
		else
			drop_comma(out);
		copied = at;
	}
	buf_add(out, text + copied, len - copied);
}
