/* SPDX-License-Identifier: Apache-2.0 */
#include "image/sums.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "image/verify.h"

struct span {
	const char *at;
	size_t len;
};

static bool is_version_char(char c)
{
	return c == '.' || (c >= '0' && c <= '9');
}

/* What the star of `pattern` stands for in `name`. Without a star the names have to be equal. */
static bool match(const char *pattern, struct span name, struct span *star)
{
	const char *asterisk = strchr(pattern, '*');
	size_t before = asterisk ? (size_t)(asterisk - pattern) : strlen(pattern);
	size_t after = asterisk ? strlen(asterisk + 1) : 0;
	bool continues = before > 0 && is_version_char(pattern[before - 1]);

	if (name.len < before + after || memcmp(name.at, pattern, before) != 0)
		return false;
	if (asterisk && memcmp(name.at + name.len - after, asterisk + 1, after) != 0)
		return false;
	*star = (struct span){ name.at + before, name.len - before - after };
	if (!asterisk)
		return star->len == 0;
	for (size_t i = 0; i < star->len; i++)
		if (!is_version_char(star->at[i]))
			return false;
	if (continues)
		return star->len == 0 || star->at[0] == '.';
	return star->len > 0 && star->at[0] != '.';
}

/* The digits from s->at on, moved past, with leading zeros dropped. */
static struct span take_number(struct span *s)
{
	struct span number;

	while (s->len > 0 && (*s->at == '.' || *s->at == '0'))
		s->at++, s->len--;
	number = (struct span){ s->at, 0 };
	while (s->len > 0 && *s->at != '.')
		s->at++, s->len--, number.len++;
	return number;
}

static int version_compare(struct span a, struct span b)
{
	while (a.len > 0 || b.len > 0) {
		struct span x, y;
		int order;

		/* 24.04.0 is newer than 24.04: one that has more numbers wins. */
		if (a.len == 0 || b.len == 0)
			return a.len > 0 ? 1 : -1;
		x = take_number(&a);
		y = take_number(&b);
		if (x.len != y.len)
			return x.len > y.len ? 1 : -1;
		order = memcmp(x.at, y.at, x.len);
		if (order != 0)
			return order;
	}
	return 0;
}

/* A file and its checksum. */
struct listed {
	struct span name;
	char hex[DIGEST_HEX_LEN + 1];
};

static bool parse_hex(struct span text, char hex[DIGEST_HEX_LEN + 1])
{
	char digits[DIGEST_HEX_LEN + 1];
	struct err ignored = ERR_INIT;

	if (text.len != DIGEST_HEX_LEN || memchr(text.at, '\0', text.len))
		return false;
	memcpy(digits, text.at, DIGEST_HEX_LEN);
	digits[DIGEST_HEX_LEN] = '\0';
	return verify_parse_sha256(digits, hex, &ignored) == 0;
}

/* Whether `line` begins with `prefix`, which is then passed. */
static bool take(struct span *line, const char *prefix)
{
	size_t len = strlen(prefix);

	if (line->len < len || memcmp(line->at, prefix, len) != 0)
		return false;
	line->at += len;
	line->len -= len;
	return true;
}

/* "HEX  NAME" or "HEX *NAME", as GNU's programs write it. */
static bool parse_plain(struct span line, struct listed *out)
{
	if (line.len < DIGEST_HEX_LEN + 3 || line.at[DIGEST_HEX_LEN] != ' ' ||
	    !strchr(" *", line.at[DIGEST_HEX_LEN + 1]))
		return false;
	out->name = (struct span){ line.at + DIGEST_HEX_LEN + 2, line.len - DIGEST_HEX_LEN - 2 };
	return parse_hex((struct span){ line.at, DIGEST_HEX_LEN }, out->hex);
}

/* "SHA256 (NAME) = HEX", as the BSDs' do. */
static bool parse_tagged(struct span line, struct listed *out)
{
	static const char between[] = ") = ";
	size_t tail = strlen(between) + DIGEST_HEX_LEN;

	if (!take(&line, "SHA256 (") || line.len <= tail)
		return false;
	out->name = (struct span){ line.at, line.len - tail };
	line = (struct span){ line.at + line.len - tail, tail };
	return take(&line, between) && parse_hex(line, out->hex);
}

/* A line of a YAML list of mappings; true when the mapping has told both. */
static bool parse_member(struct span line, struct listed *record)
{
	bool item = take(&line, "-");

	if (item)
		*record = (struct listed){ 0 };
	else if (line.len == 0 || line.at[0] != ' ')
		return false;
	while (take(&line, " "))
		;
	if (take(&line, "file: "))
		record->name = line;
	else if (!take(&line, "sha256: ") || !parse_hex(line, record->hex))
		return false;
	return record->name.len > 0 && record->hex[0];
}

/* The next file that the list tells. `record` is what a mapping has told so far. */
static bool parse_line(struct span line, struct listed *record, struct listed *out)
{
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	if (memchr(line.at, '\0', line.len))
		return false;
	if (parse_plain(line, out) || parse_tagged(line, out))
		return true;
	if (!parse_member(line, record))
		return false;
	*out = *record;
	return true;
}

int sums_find_newest(const char *text, size_t len, const char *pattern, char **file,
		     char hex[DIGEST_HEX_LEN + 1], struct err *err)
{
	struct listed best = { 0 }, record = { 0 };
	struct span best_star = { NULL, 0 };

	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		struct span line = { text, newline ? (size_t)(newline - text) : len };
		size_t step = line.len + (newline ? 1 : 0);
		struct listed listed;
		struct span star;

		if (parse_line(line, &record, &listed) && match(pattern, listed.name, &star) &&
		    (!best.name.at || version_compare(star, best_star) > 0)) {
			best = listed;
			best_star = star;
		}
		text += step;
		len -= step;
	}
	if (!best.name.at)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "no file %s is listed", pattern);
	*file = strndup(best.name.at, best.name.len);
	if (!*file)
		return err_sys(err, ENOMEM, "%s", pattern);
	memcpy(hex, best.hex, sizeof(best.hex));
	return 0;
}
