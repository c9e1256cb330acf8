/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config_words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define BLANKS " \t\r\n"

struct splitter {
	const char *at;
	char *const *env;
	struct buf word;
};

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot read it");
}

/* Behind a dollar sign. One that no name follows stands for itself. */
static int add_variable(struct splitter *splitter, struct err *err)
{
	bool braced = *splitter->at == '{';
	const char *name = splitter->at + braced, *value;
	size_t len = strspn(name, LETTERS);
	AUTO_FREE char *copy = NULL;

	if (len > 0)
		len += strspn(name + len, LETTERS "0123456789");
	if (braced && (len == 0 || name[len] != '}'))
		return err_set(err, ERR_INVALID, EINVAL, "only ${NAME} is understood: $%s",
			       splitter->at);
	if (len == 0) {
		buf_addch(&splitter->word, '$');
		return 0;
	}
	copy = strndup(name, len);
	if (!copy)
		return no_memory(err);
	value = strv_get_env(splitter->env, copy);
	if (value)
		buf_addstr(&splitter->word, value);
	splitter->at = name + len + braced;
	return 0;
}

/* One character, or what it stands for; `quote`: the quotation mark that it is between, or 0. */
static int take(struct splitter *splitter, char *quote, struct err *err)
{
	char c = *splitter->at++;

	if (c == *quote)
		*quote = 0;
	else if (*quote == 0 && (c == '\'' || c == '"'))
		*quote = c;
	else if (*quote != '\'' && c == '$')
		return add_variable(splitter, err);
	else if (*quote != '\'' && c == '\\' && *splitter->at &&
		 (*quote == 0 || strchr("\"\\$", *splitter->at)))
		buf_addch(&splitter->word, *splitter->at++);
	else
		buf_addch(&splitter->word, c);
	return 0;
}

static int take_word(struct splitter *splitter, char ***out, struct err *err)
{
	char quote = 0;
	int r = 0;

	buf_reset(&splitter->word);
	buf_addstr(&splitter->word, "");
	while (r == 0 && *splitter->at && (quote || !strchr(BLANKS, *splitter->at)))
		r = take(splitter, &quote, err);
	if (r < 0)
		return r;
	if (quote)
		return err_set(err, ERR_INVALID, EINVAL, "there is a %c without its end", quote);
	if (buf_failed(&splitter->word) || strv_add(out, splitter->word.data) < 0)
		return no_memory(err);
	return 0;
}

int config_words_split(const char *text, char *const *env, char ***out, struct err *err)
{
	struct splitter splitter = { text, env, BUF_INIT };
	AUTO_STRV char **words = NULL;
	int r = 0;

	for (;;) {
		splitter.at += strspn(splitter.at, BLANKS);
		if (r < 0 || *splitter.at == '\0')
			break;
		r = take_word(&splitter, &words, err);
	}
	buf_release(&splitter.word);
	if (r < 0)
		return r;
	*out = STEAL_PTR(words);
	return 0;
}

json_t *config_words_array(const char *text)
{
	json_t *array = json_loads(text, 0, NULL), *word;
	size_t i;

	json_array_foreach (array, i, word)
		if (!json_is_string(word)) {
			json_decref(array);
			return NULL;
		}
	if (array && !json_is_array(array)) {
		json_decref(array);
		return NULL;
	}
	return array;
}
