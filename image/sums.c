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

/* What the star of `pattern` stands for in `name`. Without a star the names have to be equal. */
static bool match(const char *pattern, struct span name, struct span *star)
{
	const char *asterisk = strchr(pattern, '*');
	size_t before = asterisk ? (size_t)(asterisk - pattern) : strlen(pattern);
	size_t after = asterisk ? strlen(asterisk + 1) : 0;

	if (name.len < before + after || memcmp(name.at, pattern, before) != 0)
		return false;
	if (asterisk && memcmp(name.at + name.len - after, asterisk + 1, after) != 0)
		return false;
	*star = (struct span){ name.at + before, name.len - before - after };
	if (!asterisk)
		return star->len == 0;
	for (size_t i = 0; i < star->len; i++)
		if (!strchr("0123456789.", star->at[i]))
			return false;
	return star->len == 0 || star->at[0] == '.';
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

/* Take a line apart; false where it is none of ours. */
static bool parse_line(struct span line, char hex[DIGEST_HEX_LEN + 1], struct span *name)
{
	char digits[DIGEST_HEX_LEN + 1];
	struct err ignored = ERR_INIT;

	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	if (line.len < DIGEST_HEX_LEN + 3 || line.at[DIGEST_HEX_LEN] != ' ' ||
	    !strchr(" *", line.at[DIGEST_HEX_LEN + 1]) || memchr(line.at, '\0', line.len))
		return false;
	memcpy(digits, line.at, DIGEST_HEX_LEN);
	digits[DIGEST_HEX_LEN] = '\0';
	*name = (struct span){ line.at + DIGEST_HEX_LEN + 2, line.len - DIGEST_HEX_LEN - 2 };
	return verify_parse_sha256(digits, hex, &ignored) == 0;
}

int sums_find_newest(const char *text, size_t len, const char *pattern, char **file,
		     char hex[DIGEST_HEX_LEN + 1], struct err *err)
{
	struct span best_name = { NULL, 0 }, best_star = { NULL, 0 };
	char best_hex[DIGEST_HEX_LEN + 1];

	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		struct span line = { text, newline ? (size_t)(newline - text) : len };
		size_t step = line.len + (newline ? 1 : 0);
		char line_hex[DIGEST_HEX_LEN + 1];
		struct span name, star;

		if (parse_line(line, line_hex, &name) && match(pattern, name, &star) &&
		    (!best_name.at || version_compare(star, best_star) > 0)) {
			best_name = name;
			best_star = star;
			memcpy(best_hex, line_hex, sizeof(best_hex));
		}
		text += step;
		len -= step;
	}
	if (!best_name.at)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "no file %s is listed", pattern);
	*file = strndup(best_name.at, best_name.len);
	if (!*file)
		return err_sys(err, ENOMEM, "%s", pattern);
	memcpy(hex, best_hex, sizeof(best_hex));
	return 0;
}
