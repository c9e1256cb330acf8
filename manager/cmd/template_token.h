/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_TOKEN_H
#define CMAN_MANAGER_CMD_TEMPLATE_TOKEN_H

/* The words between {{ and }} of a template. */

#include <stdbool.h>
#include <stddef.h>

#include "manager/cmd/template.h"
#include "store/json.h"

enum token_kind {
	TOKEN_CLOSE,	/* }}, or -}} */
	TOKEN_DOT,	/* . */
	TOKEN_FIELD,	/* .Name: word, len */
	TOKEN_VARIABLE, /* $name, or $: word, len */
	TOKEN_WORD,	/* name: word, len */
	TOKEN_LITERAL,	/* "text", `text`, a number, true, false, nil: value */
	TOKEN_PIPE,	/* | */
	TOKEN_OPEN_PAREN,
	TOKEN_CLOSE_PAREN,
	TOKEN_DECLARE, /* := */
	TOKEN_ASSIGN,  /* = */
	TOKEN_COMMA,
};

struct token {
	enum token_kind kind;
	size_t at;
	bool spaced; /* blanks before it */
	bool trims;  /* -}} */
	const char *word;
	size_t len;
	json_t *value; /* to be released */
};

/*
 * The one at `*at`, an index into the template's text, which is moved behind it. ERR_USAGE where
 * there is none. *out is untouched then.
 */
int token_next(const struct template *template, size_t *at, struct token *out, struct err *err);

bool token_is_word(const struct token *token, const char *word);

#endif
