/* SPDX-License-Identifier: Apache-2.0 */
#include "image/challenge.h"

#include <string.h>
#include <strings.h>

struct cursor {
	const char *at, *end;
};

static void skip(struct cursor *cursor, const char *chars)
{
	while (cursor->at < cursor->end && *cursor->at && strchr(chars, *cursor->at))
		cursor->at++;
}

static bool is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

struct word {
	const char *at;
	size_t len;
};

static struct word take_token(struct cursor *cursor)
{
	struct word word = { cursor->at, 0 };

	while (cursor->at < cursor->end && is_token_char(*cursor->at))
		cursor->at++, word.len++;
	return word;
}

static bool word_is(struct word word, const char *text)
{
	return word.len == strlen(text) && strncasecmp(word.at, text, word.len) == 0;
}

/* A value for `out` of `size` bytes, NULL: to be passed over. One that does not fit, or that
 * could not be sent on in a URL or form, becomes "". */
struct value {
	char *out;
	size_t size, len;
	bool bad;
};

static void value_add(struct value *value, char c)
{
	if (c < ' ' || c > '~' || value->len + 1 >= value->size)
		value->bad = true;
	else
		value->out[value->len++] = c;
}

/* token or quoted-string; false where the string has no end. */
static bool take_value(struct cursor *cursor, char *out, size_t size)
{
	struct value value = { .out = out, .size = size };
	bool ended = true;

	if (cursor->at < cursor->end && *cursor->at == '"') {
		cursor->at++;
		while (cursor->at < cursor->end && *cursor->at != '"') {
			if (*cursor->at == '\\' && cursor->at + 1 < cursor->end)
				cursor->at++;
			value_add(&value, *cursor->at++);
		}
		ended = cursor->at < cursor->end;
		cursor->at += ended;
	} else {
		/* Some registries do not quote what should be: URLs, for one. */
		while (cursor->at < cursor->end && !strchr(" \t,\"", *cursor->at))
			value_add(&value, *cursor->at++);
	}
	if (size > 0)
		out[value.bad || !ended ? 0 : value.len] = '\0';
	return ended;
}

struct parameter {
	const char *name;
	char *out;
	size_t size;
};

/*
 * The parameters of one challenge: name=value, with commas between. Stops in front of the next
 * challenge, which begins with a token that no "=" follows. False: malformed.
 */
static bool take_parameters(struct cursor *cursor, const struct parameter *wanted, size_t count)
{
	for (;;) {
		struct cursor ahead = *cursor;
		const struct parameter *found = NULL;
		struct word name;

		skip(&ahead, " \t,");
		name = take_token(&ahead);
		skip(&ahead, " \t");
		if (name.len == 0 || ahead.at == ahead.end || *ahead.at != '=')
			return name.len > 0 || ahead.at == ahead.end;
		ahead.at++;
		skip(&ahead, " \t");
		for (size_t i = 0; i < count; i++)
			if (word_is(name, wanted[i].name) && wanted[i].out[0] == '\0')
				found = &wanted[i];
		if (!take_value(&ahead, found ? found->out : NULL, found ? found->size : 0))
			return false;
		*cursor = ahead;
	}
}

/* Credentials in the form of a token68 ("Negotiate YII…=="), which is no parameter. */
static void skip_token68(struct cursor *cursor)
{
	struct cursor ahead = *cursor;

	while (ahead.at < ahead.end && (is_token_char(*ahead.at) || *ahead.at == '/'))
		ahead.at++;
	skip(&ahead, "=");
	if (ahead.at == ahead.end || *ahead.at == ',')
		*cursor = ahead;
}

void challenge_parse(const char *text, size_t len, struct challenge *out)
{
	struct cursor cursor = { text, text + len };

	memset(out, 0, sizeof(*out));
	for (;;) {
		const struct parameter bearer[] = {
			{ "realm", out->realm, sizeof(out->realm) },
			{ "service", out->service, sizeof(out->service) },
			{ "scope", out->scope, sizeof(out->scope) },
		};
		bool first_bearer;
		struct word scheme;

		skip(&cursor, " \t,");
		scheme = take_token(&cursor);
		if (scheme.len == 0 || (cursor.at < cursor.end && !memchr(" \t,", *cursor.at, 3)))
			break;
		first_bearer = word_is(scheme, "Bearer") && !out->bearer;
		if (word_is(scheme, "Basic"))
			out->basic = true;
		if (first_bearer)
			out->realm[0] = out->service[0] = out->scope[0] = '\0';
		skip(&cursor, " \t");
		skip_token68(&cursor);
		if (!take_parameters(&cursor, bearer, first_bearer ? 3 : 0))
			break;
		if (first_bearer && out->realm[0])
			out->bearer = true;
	}
	if (!out->bearer)
		out->realm[0] = out->service[0] = out->scope[0] = '\0';
}
