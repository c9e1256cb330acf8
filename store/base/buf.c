/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/base/utf8.h"

void buf_release(struct buf *buf)
{
	cleanup_free(&buf->data);
	*buf = (struct buf)BUF_INIT;
}

static bool grow(struct buf *buf, size_t more)
{
	size_t cap = buf->cap ? buf->cap : 64;
	char *data;

	if (buf->failed)
		return false;
	if (more >= SIZE_MAX / 2 - buf->len) {
		buf->failed = true;
		return false;
	}
	while (cap < buf->len + more + 1)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

/* Room for `more` bytes and the NUL after them. */
static inline bool has_room(struct buf *buf, size_t more)
{
	return (!buf->failed && buf->data && more < buf->cap - buf->len) || grow(buf, more);
}

/*
 * Most of what is added is short: two moves that may overlap, where musl's memcpy() sets up a
 * string instruction that takes longer than all else a cell of a list needs.
 */
static inline void copy(char *to, const char *from, size_t len)
{
	uint64_t first, last;
	uint32_t first_half, last_half;

	if (len > 2 * sizeof(first)) {
		memcpy(to, from, len);
	} else if (len >= sizeof(first)) {
		memcpy(&first, from, sizeof(first));
		memcpy(&last, from + len - sizeof(last), sizeof(last));
		memcpy(to, &first, sizeof(first));
		memcpy(to + len - sizeof(last), &last, sizeof(last));
	} else if (len >= sizeof(first_half)) {
		memcpy(&first_half, from, sizeof(first_half));
		memcpy(&last_half, from + len - sizeof(last_half), sizeof(last_half));
		memcpy(to, &first_half, sizeof(first_half));
		memcpy(to + len - sizeof(last_half), &last_half, sizeof(last_half));
	} else {
		for (size_t i = 0; i < len; i++)
			to[i] = from[i];
	}
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	if (!has_room(buf, len))
		return;
	copy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_addstr(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_addch(struct buf *buf, char c)
{
	if (!has_room(buf, 1))
		return;
	buf->data[buf->len++] = c;
	buf->data[buf->len] = '\0';
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	if (!has_room(buf, (size_t)len))
		return;
	va_start(ap, fmt);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)len;
}

void buf_add_some(struct buf *buf, char *const *v, size_t most)
{
	size_t n = strv_len(v);

	for (size_t i = 0; i < n && i < most; i++)
		buf_addf(buf, "%s%s", i ? ", " : "", v[i]);
	if (n > most)
		buf_addf(buf, " and %zu more", n - most);
}

void buf_reserve(struct buf *buf, size_t more)
{
	if (has_room(buf, more))
		buf->data[buf->len] = '\0';
}

void buf_truncate(struct buf *buf, size_t len)
{
	if (len >= buf->len)
		return;
	buf->len = len;
	buf->data[len] = '\0';
}

void buf_reset(struct buf *buf)
{
	buf_truncate(buf, 0);
}

void buf_fail(struct buf *buf)
{
	buf->failed = true;
}

bool buf_failed(const struct buf *buf)
{
	return buf->failed;
}

/* Embeddings, overrides and isolates: what makes a line read other than it is (UAX #9). */
static bool is_bidi_control(uint32_t cp)
{
	return (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

void buf_add_escaped(struct buf *buf, const char *text, size_t len)
{
	while (len > 0) {
		uint32_t cp = 0;
		size_t n = utf8_plain_length(text, len);

		buf_add(buf, text, n);
		text += n;
		len -= n;
		if (len == 0)
			break;
		n = utf8_decode(text, len, &cp);
		if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp <= 0x9f)) {
			n = n ? n : 1;
			for (size_t i = 0; i < n; i++) {
				if (text[i] == '\n')
					buf_addstr(buf, "\\n");
				else if (text[i] == '\t')
					buf_addstr(buf, "\\t");
				else
					buf_addf(buf, "\\x%02x", (unsigned char)text[i]);
			}
		} else if (is_bidi_control(cp)) {
			buf_addf(buf, "\\u{%04x}", (unsigned)cp);
		} else {
			buf_add(buf, text, n);
		}
		text += n;
		len -= n;
	}
}

char *buf_steal(struct buf *buf)
{
	char *data;

	if (!buf->data)
		buf_add(buf, "", 0);
	if (buf->failed) {
		buf_release(buf);
		return NULL;
	}
	data = buf->data;
	*buf = (struct buf)BUF_INIT;
	return data;
}
