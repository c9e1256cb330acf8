/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/strv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void strv_free(char **v)
{
	if (!v)
		return;
	for (size_t i = 0; v[i]; i++)
		free(v[i]);
	free(v);
}

void strv_release(char ***v)
{
	int saved = errno;

	strv_free(*v);
	*v = NULL;
	errno = saved;
}

size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

int strv_add(char ***v, const char *text)
{
	size_t n = strv_len(*v);
	char *copy = strdup(text);
	char **grown;

	if (!copy)
		return -ENOMEM;
	grown = realloc(*v, (n + 2) * sizeof(*grown));
	if (!grown) {
		free(copy);
		return -ENOMEM;
	}
	grown[n] = copy;
	grown[n + 1] = NULL;
	*v = grown;
	return 0;
}

int strv_extend(char ***v, char *const *more)
{
	size_t before = strv_len(*v);

	for (size_t i = 0; more && more[i]; i++) {
		if (strv_add(v, more[i]) == 0)
			continue;
		for (size_t n = strv_len(*v); n > before; n--) {
			free((*v)[n - 1]);
			(*v)[n - 1] = NULL;
		}
		return -ENOMEM;
	}
	return 0;
}

/* The index of "KEY=…" for the first `len` bytes of `key`, or that of the NULL at the end. */
static size_t env_index(char *const *v, const char *key, size_t len)
{
	size_t i;

	for (i = 0; v && v[i]; i++)
		if (strncmp(v[i], key, len) == 0 && v[i][len] == '=')
			break;
	return i;
}

int strv_set_env(char ***v, const char *assignment)
{
	size_t i = env_index(*v, assignment, strcspn(assignment, "="));
	char *copy;

	if (!*v || !(*v)[i])
		return strv_add(v, assignment);
	copy = strdup(assignment);
	if (!copy)
		return -ENOMEM;
	free((*v)[i]);
	(*v)[i] = copy;
	return 0;
}

const char *strv_get_env(char *const *v, const char *key)
{
	size_t len = strlen(key);
	size_t i = env_index(v, key, len);

	return v && v[i] ? v[i] + len + 1 : NULL;
}
