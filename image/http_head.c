/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_head.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* The texts are long: their first byte is enough to say that there is none. */
void http_head_reset(struct http_head *head)
{
	head->status = 0;
	head->length = head->range_first = head->range_total = head->range_end = -1;
	head->etag[0] = head->last_modified[0] = head->content_type[0] = '\0';
	head->digest[0] = head->location[0] = head->next[0] = head->challenge[0] = '\0';
}

struct text {
	const char *at;
	size_t len;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct text trim(struct text text)
{
	while (text.len > 0 && is_space(text.at[0]))
		text.at++, text.len--;
	while (text.len > 0 && is_space(text.at[text.len - 1]))
		text.len--;
	return text;
}

/* Digits from text->at on, moved past. False where there are none or too many. */
static bool take_number(struct text *text, int64_t *out)
{
	int64_t number = 0;
	size_t n = 0;

	while (n < text->len && text->at[n] >= '0' && text->at[n] <= '9' && n < 18)
		number = number * 10 + (text->at[n++] - '0');
	if (n == 0 || (n < text->len && text->at[n] >= '0' && text->at[n] <= '9'))
		return false;
	text->at += n;
	text->len -= n;
	*out = number;
	return true;
}

static bool take_char(struct text *text, char c)
{
	if (text->len == 0 || text->at[0] != c)
		return false;
	text->at++;
	text->len--;
	return true;
}

/* Printable ASCII only: it is sent back in a header, shown or kept. */
static void copy_text(struct text value, char *out, size_t size)
{
	out[0] = '\0';
	if (value.len == 0 || value.len >= size)
		return;
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] < ' ' || value.at[i] > '~')
			return;
	memcpy(out, value.at, value.len);
	out[value.len] = '\0';
}

/* "bytes 100-199/200"; the total, or where there is no such part the range, can be a star. */
static void parse_range(struct http_head *head, struct text value)
{
	int64_t first, last, total = -1;

	if (value.len < 6 || strncasecmp(value.at, "bytes", 5) != 0 || !is_space(value.at[5]))
		return;
	value = trim((struct text){ value.at + 5, value.len - 5 });
	if (take_char(&value, '*')) {
		if (take_char(&value, '/') && take_number(&value, &total) && value.len == 0)
			head->range_total = total;
		return;
	}
	if (!take_number(&value, &first) || !take_char(&value, '-') ||
	    !take_number(&value, &last) || !take_char(&value, '/'))
		return;
	if (!take_char(&value, '*') && !take_number(&value, &total))
		return;
	if (value.len > 0 || last < first || (total >= 0 && last >= total))
		return;
	head->range_first = first;
	head->range_total = total;
}

/* "HTTP/1.1 200 OK" */
static bool parse_status(struct http_head *head, struct text line)
{
	const char *space = memchr(line.at, ' ', line.len);
	struct text code;
	int64_t status;

	if (line.len < 5 || memcmp(line.at, "HTTP/", 5) != 0 || !space)
		return false;
	code = trim((struct text){ space, line.len - (size_t)(space - line.at) });
	http_head_reset(head);
	if (take_number(&code, &status) && status >= 100 && status <= 999)
		head->status = (int)status;
	return true;
}

static void take_length(struct http_head *head, struct text value)
{
	int64_t length;

	if (take_number(&value, &length) && value.len == 0)
		head->length = length;
}

static void take_etag(struct http_head *head, struct text value)
{
	if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
		copy_text(value, head->etag, sizeof(head->etag));
}

static void take_modified(struct http_head *head, struct text value)
{
	copy_text(value, head->last_modified, sizeof(head->last_modified));
}

static void take_type(struct http_head *head, struct text value)
{
	const char *semicolon = memchr(value.at, ';', value.len);

	if (semicolon)
		value = trim((struct text){ value.at, (size_t)(semicolon - value.at) });
	copy_text(value, head->content_type, sizeof(head->content_type));
	for (char *p = head->content_type; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

static void take_digest(struct http_head *head, struct text value)
{
	copy_text(value, head->digest, sizeof(head->digest));
}

static void take_location(struct http_head *head, struct text value)
{
	copy_text(value, head->location, sizeof(head->location));
}

/* "0-1023", of registries also "bytes=0-1023": what an upload has so far. "0-0" is nothing or a
 * byte: the distribution specification leaves it open, and nothing is what it comes from. */
static void take_upload_range(struct http_head *head, struct text value)
{
	int64_t first, last;

	if (value.len > 6 && strncasecmp(value.at, "bytes=", 6) == 0)
		value = (struct text){ value.at + 6, value.len - 6 };
	if (take_number(&value, &first) && take_char(&value, '-') && take_number(&value, &last) &&
	    value.len == 0 && first == 0)
		head->range_end = last;
}

static void take_challenge(struct http_head *head, struct text value)
{
	size_t len = strlen(head->challenge);
	size_t comma = len > 0 ? 2 : 0;

	if (value.len == 0 || len + comma + value.len >= sizeof(head->challenge))
		return;
	copy_text(value, head->challenge + len + comma, sizeof(head->challenge) - len - comma);
	if (comma && head->challenge[len + comma])
		memcpy(head->challenge + len, ", ", 2);
}

/* Whether the parameters of a link, from `rest` on, have rel=next among them. */
static bool is_next(struct text rest)
{
	while (take_char(&rest, ';')) {
		struct text name = trim(rest), value;
		bool quoted;
		size_t n = 0;

		while (n < name.len && name.at[n] != '=' && name.at[n] != ';' && name.at[n] != ',')
			n++;
		value = (struct text){ name.at + n, name.len - n };
		name.len = n;
		if (take_char(&value, '=')) {
			quoted = take_char(&value, '"');
			n = 0;
			while (n < value.len &&
			       (quoted ? value.at[n] != '"' : !memchr(";, ", value.at[n], 3)))
				n++;
			if (trim(name).len == 3 && strncasecmp(name.at, "rel", 3) == 0 && n == 4 &&
			    strncasecmp(value.at, "next", 4) == 0)
				return true;
			n += quoted && n < value.len;
			value = (struct text){ value.at + n, value.len - n };
		}
		rest = trim(value);
	}
	return false;
}

/* <https://…>; rel="next", <…>; rel=… */
static void take_link(struct http_head *head, struct text value)
{
	while (value.len > 0) {
		const char *open = memchr(value.at, '<', value.len), *close;
		struct text target;

		if (!open)
			return;
		value = (struct text){ open + 1, value.len - (size_t)(open + 1 - value.at) };
		close = memchr(value.at, '>', value.len);
		if (!close)
			return;
		target = (struct text){ value.at, (size_t)(close - value.at) };
		value = trim((struct text){ close + 1, value.len - target.len - 1 });
		if (is_next(value)) {
			copy_text(target, head->next, sizeof(head->next));
			return;
		}
	}
}

static const struct field {
	const char *name;
	void (*take)(struct http_head *head, struct text value);
} fields[] = {
	{ "Content-Length", take_length },
	{ "Content-Range", parse_range },
	{ "ETag", take_etag },
	{ "Last-Modified", take_modified },
	{ "Content-Type", take_type },
	{ "Docker-Content-Digest", take_digest },
	{ "Location", take_location },
	{ "Range", take_upload_range },
	{ "Link", take_link },
	{ "WWW-Authenticate", take_challenge },
};

void http_head_line(struct http_head *head, const char *line, size_t len)
{
	const char *colon;
	struct text name, value;

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (parse_status(head, (struct text){ line, len }))
		return;
	colon = memchr(line, ':', len);
	if (!colon)
		return;
	name = (struct text){ line, (size_t)(colon - line) };
	value = trim((struct text){ colon + 1, len - name.len - 1 });
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (name.len == strlen(fields[i].name) &&
		    strncasecmp(name.at, fields[i].name, name.len) == 0)
			fields[i].take(head, value);
}

const char *http_head_validator(const struct http_head *head)
{
	return head->etag[0] ? head->etag : head->last_modified;
}
