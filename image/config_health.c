/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config_health.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/config_words.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/measure.h"
#include "store/json.h"

#define BLANKS " \t\r\n"

static const struct option {
	const char *name; /* with its dashes and what it is set by */
	const char *key;
} options[] = {
	{ "--interval=", "Interval" },	      { "--timeout=", "Timeout" },
	{ "--start-period=", "StartPeriod" }, { "--start-interval=", "StartInterval" },
	{ "--retries=", "Retries" },
};

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot change the configuration");
}

static const struct option *find_option(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		size_t n = strlen(options[i].name);

		if (n <= len && memcmp(options[i].name, word, n) == 0)
			return &options[i];
	}
	return NULL;
}

static int parse_number(const char *text, int64_t *out)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || number > INT_MAX)
		return -EINVAL;
	*out = (int64_t)number;
	return 0;
}

/* "--interval=5s" of `len` bytes. */
static int take_option(const char *word, size_t len, json_t *health, struct err *err)
{
	const struct option *option = find_option(word, len);
	bool is_number = option && strcmp(option->key, "Retries") == 0;
	char value[32];
	int64_t number = 0;
	int r;

	if (!option) {
		err_set(err, ERR_INVALID, EINVAL, "HEALTHCHECK has no option %.*s",
			(int)strcspn(word, "=" BLANKS), word);
		return err_hint(err, "those with '=' and a value: --interval --timeout "
				     "--start-period --start-interval --retries");
	}
	r = snprintf(value, sizeof(value), "%.*s", (int)(len - strlen(option->name)),
		     word + strlen(option->name));
	if (r >= (int)sizeof(value))
		r = -EINVAL;
	else
		r = is_number ? parse_number(value, &number) : measure_time(value, &number);
	if (r < 0)
		return err_set(err, ERR_INVALID, EINVAL, "%.*s: not a %s", (int)len, word,
			       is_number ? "number" : "span of time such as 30s");
	return json_object_set_new(health, option->key, json_integer(number)) < 0 ? no_memory(err) :
										    0;
}

/* A line for a shell, unless it is an array and may be one. */
static json_t *test_of(const char *command, bool is_line)
{
	json_t *array = is_line ? NULL : config_words_array(command);

	if (json_array_size(array) > 0 && json_array_insert_new(array, 0, json_string("CMD")) == 0)
		return array;
	json_decref(array);
	return json_pack("[s, s]", "CMD-SHELL", command);
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static int take_test(const char *text, json_t *health, struct err *err)
{
	size_t len = strcspn(text, BLANKS);
	const char *rest = text + len + strspn(text + len, BLANKS);
	json_t *test;

	if (is_word(text, len, "NONE")) {
		if (*rest || json_object_size(health) > 0)
			return err_set(err, ERR_INVALID, EINVAL,
				       "NONE stands alone: there is no check then");
		test = json_pack("[s]", "NONE");
	} else if (is_word(text, len, "CMD") || is_word(text, len, "CMD-SHELL")) {
		if (!*rest)
			return err_set(err, ERR_INVALID, EINVAL, "a command is missing");
		test = test_of(rest, !is_word(text, len, "CMD"));
	} else {
		return err_set(err, ERR_INVALID, EINVAL,
			       "what is to be run stands behind the word CMD");
	}
	if (!test)
		return err_set(err, ERR_INVALID, EILSEQ, "it is not UTF-8");
	return json_object_set_new(health, "Test", test) < 0 ? no_memory(err) : 0;
}

int config_health_parse(const char *text, json_t **out, struct err *err)
{
	AUTO_JSON json_t *health = json_object();
	int r = health ? 0 : no_memory(err);

	while (r == 0 && begins_with(text, "--")) {
		size_t len = strcspn(text, BLANKS);

		r = take_option(text, len, health, err);
		text += len + strspn(text + len, BLANKS);
	}
	if (r == 0)
		r = take_test(text, health, err);
	if (r < 0)
		return r;
	*out = STEAL_PTR(health);
	return 0;
}
