/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/run_values.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/utsname.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/options.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"
#include "store/json.h"

#define ENV_FILE_MAX (4u << 20)

/* One assignment of `len` bytes that has a name. */
static int add_assignment(const char *text, size_t len, char ***env, struct err *err)
{
	AUTO_FREE char *line = strndup(text, len);
	AUTO_FREE char *assignment = NULL;
	const char *value;

	if (!line)
		return option_no_memory(err);
	if (!strchr(line, '=')) {
		value = getenv(line);
		if (!value)
			return 0;
		if (asprintf(&assignment, "%s=%s", line, value) < 0)
			return option_no_memory(err);
	}
	if (strv_add(env, assignment ? assignment : line) < 0)
		return option_no_memory(err);
	return 0;
}

int run_value_env(const struct cmd_option *option, const char *value, char ***env, struct err *err)
{
	if (value[0] == '\0' || value[0] == '=')
		return option_bad_value(option, "KEY=VALUE or KEY", value, err);
	return add_assignment(value, strlen(value), env, err);
}

static int add_line(const char *path, int number, const char *line, size_t len, char ***env,
		    struct err *err)
{
	size_t name;

	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0 || *line == '#')
		return 0;
	if (memchr(line, '\0', len))
		return err_set(err, ERR_INVALID, 0, "--env-file: %s:%d: a NUL byte", path, number);
	for (name = 0; name < len && line[name] != '='; name++) {
		if (isspace((unsigned char)line[name]))
			return err_set(err, ERR_INVALID, 0,
				       "--env-file: %s:%d: a name has white space: %.*s", path,
				       number, (int)len, line);
	}
	if (name == 0)
		return err_set(err, ERR_INVALID, 0, "--env-file: %s:%d: no name before '='", path,
			       number);
	return add_assignment(line, len, env, err);
}

int run_value_env_file(const struct cmd_option *option, const char *path, char ***env,
		       struct err *err)
{
	AUTO_FREE char *text = NULL;
	const char *at;
	size_t len;
	int number = 0;
	int rc = fd_read_file(AT_FDCWD, path, ENV_FILE_MAX, &text, &len, err);

	if (rc < 0)
		return err_wrap(err, "--%s", option->name);
	at = text;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (rc == 0 && at < text + len) {
		const char *end = memchr(at, '\n', (size_t)(text + len - at));

		if (!end)
			end = text + len;
		rc = add_line(path, ++number, at, (size_t)(end - at), env, err);
		at = end + 1;
	}
	return rc;
}

/* Letters, digits and some signs, a letter or digit first. */
static bool is_word(const char *value, size_t max)
{
	size_t len = strlen(value);

	if (len == 0 || len > max || strchr("_.-", value[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isascii(value[i]) ||
		    (!isalnum((unsigned char)value[i]) && !strchr("_.-", value[i])))
			return false;
	return true;
}

int run_value_check_name(const char *name, struct err *err)
{
	if (is_word(name, CONTAINER_NAME_MAX))
		return 0;
	err_set(err, ERR_USAGE, EINVAL, "not a name: %s", name);
	return err_hint(err, "up to %d letters, digits, '_', '.' and '-', a letter or digit first",
			CONTAINER_NAME_MAX);
}

int run_value_name(const struct cmd_option *option, const char *value, struct err *err)
{
	return run_value_check_name(value, err) < 0 ? err_wrap(err, "--%s", option->name) : 0;
}

int run_value_hostname(const struct cmd_option *option, const char *value, struct err *err)
{
	if (is_word(value, __NEW_UTS_LEN))
		return 0;
	option_bad_value(option, "a host name", value, err);
	return err_hint(err, "up to %d letters, digits, '_', '.' and '-', a letter or digit first",
			__NEW_UTS_LEN);
}

int run_value_absolute(const struct cmd_option *option, const char *value, struct err *err)
{
	if (value[0] != '/')
		return option_bad_value(option, "an absolute path", value, err);
	return 0;
}

static int bad_restart(const struct cmd_option *option, const char *value, struct err *err)
{
	option_bad_value(option, "a restart policy", value, err);
	return err_hint(err, "one of no, on-failure, on-failure:3, always, unless-stopped");
}

int run_value_restart(const struct cmd_option *option, const char *value,
		      enum container_restart *policy, int *max, struct err *err)
{
	char name[sizeof("unless-stopped")];
	size_t len = strcspn(value, ":");
	enum container_restart restart;
	int64_t number = 0;

	if (len >= sizeof(name))
		return bad_restart(option, value, err);
	memcpy(name, value, len);
	name[len] = '\0';
	if (container_restart_from_name(name, &restart) < 0 ||
	    (value[len] && restart != RESTART_ON_FAILURE))
		return bad_restart(option, value, err);
	if (value[len] && option_int(option, value + len + 1, 1, INT_MAX, &number, err) < 0)
		return err_code(err);
	*policy = restart;
	*max = (int)number;
	return 0;
}

int run_value_entrypoint(const struct cmd_option *option, const char *value, char ***out,
			 struct err *err)
{
	AUTO_STRV char **words = NULL;
	AUTO_JSON json_t *array = NULL;
	struct err why = ERR_INIT;
	json_t *word;
	size_t i;

	if (value[0] == '[' &&
	    (json_parse("array", value, strlen(value), &array, &why) < 0 || !json_is_array(array)))
		return option_bad_value(option, "a JSON array of words", value, err);
	/* One that is empty is still one: the vector is there. */
	words = calloc(1, sizeof(*words));
	if (!words)
		return option_no_memory(err);
	json_array_foreach (array, i, word) {
		if (!json_is_string(word))
			return option_bad_value(option, "a JSON array of words", value, err);
		if (strv_add(&words, json_string_value(word)) < 0)
			return option_no_memory(err);
	}
	if (!array && value[0] && strv_add(&words, value) < 0)
		return option_no_memory(err);
	strv_free(*out);
	*out = STEAL_PTR(words);
	return 0;
}
