/* SPDX-License-Identifier: Apache-2.0 */
#include "store/json_write.h"

#include <string.h>

#include "store/base/utf8.h"

/* Whether all 8 bytes are as json_plain_length() counts them. */
static bool is_plain_word(uint64_t word)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	const uint64_t quote = word ^ each * '"';
	const uint64_t backslash = word ^ each * '\\';

	/* The highest bit of a byte: more than 0x7e; or less than 0x20; or zero of the others. */
	return ((word | (word + each) | (word - each * 0x20) | (quote - each) |
		 (backslash - each)) &
		each * 0x80) == 0;
}

size_t json_plain_length(const char *text, size_t len)
{
	uint64_t word;
	size_t n = 0;

	for (; len - n >= sizeof(word); n += sizeof(word)) {
		memcpy(&word, text + n, sizeof(word));
		if (!is_plain_word(word))
			break;
	}
	while (n < len && text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

void json_add_escape(struct buf *out, uint32_t point)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char letters[0x80] = {
		['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
		['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
	};
	const char letter = point < sizeof(letters) ? letters[point] : '\0';
	const char escape[] = { '\\',
				letter ? letter : 'u',
				digits[point >> 12 & 0xf],
				digits[point >> 8 & 0xf],
				digits[point >> 4 & 0xf],
				digits[point & 0xf] };

	buf_add(out, escape, letter ? 2 : sizeof(escape));
}

/* Only what RFC 8259 demands is escaped; all between two escapes is copied at once. */
static void add_quoted(struct buf *out, const char *text, size_t len)
{
	size_t copied = 0;

	buf_addch(out, '"');
	for (size_t at = json_plain_length(text, len); at < len;) {
		uint32_t point = 0;
		size_t n = utf8_decode(text + at, len - at, &point);

		if (n == 0) {
			buf_fail(out);
			return;
		}
		if (point < 0x20 || point == '"' || point == '\\') {
			buf_add(out, text + copied, at - copied);
			json_add_escape(out, point);
			copied = at + n;
		}
		at += n;
		at += json_plain_length(text + at, len - at);
	}
	buf_add(out, text + copied, len - copied);
	buf_addch(out, '"');
}

/* Whether what comes next is the first, or the value of a key: no value ends in such a sign. */
static bool is_first(const struct buf *out)
{
	const char last = out->len ? out->data[out->len - 1] : '[';

	return last == '{' || last == '[' || last == ':';
}

void json_add_key(struct buf *out, const char *key, size_t len)
{
	if (!is_first(out))
		buf_addch(out, ',');
	add_quoted(out, key, len);
	buf_addch(out, ':');
}

static void begin_value(struct buf *out, const char *key)
{
	if (key)
		json_add_key(out, key, strlen(key));
	else if (!is_first(out))
		buf_addch(out, ',');
}

void json_begin_object(struct buf *out, const char *key)
{
	begin_value(out, key);
	buf_addch(out, '{');
}

void json_begin_array(struct buf *out, const char *key)
{
	begin_value(out, key);
	buf_addch(out, '[');
}

void json_end_object(struct buf *out)
{
	buf_addch(out, '}');
}

void json_end_array(struct buf *out)
{
	buf_addch(out, ']');
}

void json_end_object_or_drop(struct buf *out, size_t before)
{
	if (is_first(out))
		buf_truncate(out, before);
	else
		json_end_object(out);
}

void json_add_text(struct buf *out, const char *key, const char *text, size_t len)
{
	begin_value(out, key);
	add_quoted(out, text, len);
}

void json_add_string(struct buf *out, const char *key, const char *value)
{
	if (value)
		json_add_text(out, key, value, strlen(value));
}

void json_add_strv(struct buf *out, const char *key, char *const *strings)
{
	if (!strings)
		return;
	json_begin_array(out, key);
	for (; *strings; strings++)
		json_add_string(out, NULL, *strings);
	json_end_array(out);
}

/* By hand: numbers are many, and the formats of the C library take longer than the digits. */
void json_add_int(struct buf *out, const char *key, int64_t value)
{
	char digits[20]; /* those of INT64_MIN and its sign */
	size_t at = sizeof(digits);
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		digits[--at] = '-';
	begin_value(out, key);
	buf_add(out, digits + at, sizeof(digits) - at);
}

void json_add_bool(struct buf *out, const char *key, bool value)
{
	json_add_raw(out, key, value ? "true" : "false");
}

void json_add_raw(struct buf *out, const char *key, const char *json)
{
	begin_value(out, key);
	buf_addstr(out, json);
}
