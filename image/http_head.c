/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_head.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

void http_head_reset(struct http_head *head)
{
	*head = (struct http_head){ .length = -1, .range_first = -1, .range_total = -1 };
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

/* Printable ASCII only: it is sent back in a header, and kept. */
static void copy_validator(struct text value, char out[HTTP_VALIDATOR_MAX])
{
	out[0] = '\0';
	if (value.len == 0 || value.len >= HTTP_VALIDATOR_MAX)
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

void http_head_line(struct http_head *head, const char *line, size_t len)
{
	const char *colon;
	struct text name, value;
	int64_t length;

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (parse_status(head, (struct text){ line, len }))
		return;
	colon = memchr(line, ':', len);
	if (!colon)
		return;
	name = (struct text){ line, (size_t)(colon - line) };
	value = trim((struct text){ colon + 1, len - name.len - 1 });
	if (name.len == 14 && strncasecmp(name.at, "Content-Length", 14) == 0) {
		if (take_number(&value, &length) && value.len == 0)
			head->length = length;
	} else if (name.len == 13 && strncasecmp(name.at, "Content-Range", 13) == 0) {
		parse_range(head, value);
	} else if (name.len == 4 && strncasecmp(name.at, "ETag", 4) == 0) {
		if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
			copy_validator(value, head->etag);
	} else if (name.len == 13 && strncasecmp(name.at, "Last-Modified", 13) == 0) {
		copy_validator(value, head->last_modified);
	}
}

const char *http_head_validator(const struct http_head *head)
{
	return head->etag[0] ? head->etag : head->last_modified;
}
