/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/template_token.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define NUMBER_MAX 64

bool token_is_word(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && token->len == strlen(word) &&
	       memcmp(token->word, word, token->len) == 0;
}

/* Moved behind the escape of which *text is the letter; false for one there is not. */
static bool add_escape(const char **text, struct buf *out)
{
	static const char *const escapes[] = { "n\n", "t\t", "r\r", "\\\\", "\"\"",
					       "''",  "a\a", "b\b", "f\f",  "v\v" };
	const char *p = *text;

	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		if (*p == escapes[i][0]) {
			buf_addch(out, escapes[i][1]);
			*text = p + 1;
			return true;
		}
	if (p[0] == 'x' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
		const char digits[] = { p[1], p[2], '\0' };

		buf_addch(out, (char)strtoul(digits, NULL, 16));
		*text = p + 3;
		return true;
	}
	return false;
}

static int make_text(const struct template *template, struct token *token, const struct buf *text,
		     struct err *err)
{
	if (buf_failed(text))
		return err_sys(err, ENOMEM, "cannot read the template");
	/* jansson takes UTF-8 alone, and no NUL. */
	token->value = json_stringn(text->len ? text->data : "", text->len);
	if (!token->value || memchr(text->data ? text->data : "", '\0', text->len)) {
		json_decref(token->value);
		return template_fail(template, token->at, err, "this text is not UTF-8");
	}
	token->kind = TOKEN_LITERAL;
	return 0;
}

static int take_text(const struct template *template, size_t *at, struct token *token,
		     struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *p = template->text + *at;
	const char quote = *p++;

	while (*p && *p != quote) {
		if (quote != '"' || *p != '\\') {
			buf_addch(&text, *p++);
			continue;
		}
		p++;
		if (!add_escape(&p, &text))
			return template_fail(template, (size_t)(p - 1 - template->text), err,
					     "not understood in a text");
	}
	if (!*p)
		return template_fail(template, *at, err, "this text does not end");
	*at = (size_t)(p + 1 - template->text);
	return make_text(template, token, &text, err);
}

static int take_number(const struct template *template, size_t *at, struct token *token,
		       struct err *err)
{
	const char *p = template->text + *at;
	size_t len = 1 + strspn(p + 1, WORD ".+-");
	AUTO_FREE char *copy = len < NUMBER_MAX ? strndup(p, len) : NULL;
	char *end = copy;
	long long whole;

	if (!copy)
		return template_fail(template, *at, err, "not a number");
	errno = 0;
	whole = strtoll(copy, &end, 0);
	if (*end == '\0' && errno == 0) {
		token->value = json_integer(whole);
	} else {
		double real = strtod(copy, &end);

		token->value = *end == '\0' && end != copy ? json_real(real) : NULL;
	}
	if (!token->value)
		return template_fail(template, *at, err, "not a number");
	*at += len;
	token->kind = TOKEN_LITERAL;
	return 0;
}

static void take_word(const struct template *template, size_t *at, struct token *token)
{
	token->word = template->text + *at;
	token->len = strspn(token->word, WORD);
	*at += token->len;
	token->kind = TOKEN_WORD;
	if (token_is_word(token, "true") || token_is_word(token, "false"))
		token->value = json_boolean(*token->word == 't');
	else if (token_is_word(token, "nil"))
		token->value = json_null();
	else
		return;
	token->kind = TOKEN_LITERAL;
}

/* The signs that stand for themselves. */
static bool take_sign(const char *p, size_t *at, struct token *token)
{
	static const struct {
		const char *text;
		enum token_kind kind;
	} signs[] = {
		{ "}}", TOKEN_CLOSE },	    { "|", TOKEN_PIPE },  { "(", TOKEN_OPEN_PAREN },
		{ ")", TOKEN_CLOSE_PAREN }, { ",", TOKEN_COMMA }, { ":=", TOKEN_DECLARE },
		{ "=", TOKEN_ASSIGN },
	};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (begins_with(p, signs[i].text)) {
			token->kind = signs[i].kind;
			*at += strlen(signs[i].text);
			return true;
		}
	return false;
}

int token_next(const struct template *template, size_t *at, struct token *out, struct err *err)
{
	size_t blanks = strspn(template->text + *at, " \t\n\r");
	struct token token = { .at = *at + blanks, .spaced = blanks > 0 };
	const char *p = template->text + token.at;
	size_t next = token.at;
	int rc = 0;

	if (token.spaced && begins_with(p, "-}}")) {
		token.kind = TOKEN_CLOSE;
		token.trims = true;
		next += 3;
	} else if (*p == '.' || *p == '$') {
		token.word = p + 1;
		token.len = strspn(p + 1, WORD);
		token.kind = *p == '$' ? TOKEN_VARIABLE : token.len ? TOKEN_FIELD : TOKEN_DOT;
		next += 1 + token.len;
	} else if (*p == '"' || *p == '`') {
		rc = take_text(template, &next, &token, err);
	} else if (isdigit((unsigned char)*p) || *p == '-' || *p == '+') {
		rc = take_number(template, &next, &token, err);
	} else if (isalpha((unsigned char)*p) || *p == '_') {
		take_word(template, &next, &token);
	} else if (!take_sign(p, &next, &token)) {
		if (*p == '\0')
			rc = template_fail(template, token.at, err, "}} is missing");
		else
			rc = template_fail(template, token.at, err, "not understood");
	}
	if (rc < 0)
		return rc;
	*at = next;
	*out = token;
	return 0;
}
