/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/strv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"

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
	const size_t before = strv_len(*v), added = strv_len(more);
	char **grown;

	if (added == 0)
		return 0;
	grown = realloc(*v, (before + added + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*v = grown;
	grown[before] = NULL;
	for (size_t i = 0; i < added; i++) {
		grown[before + i] = strdup(more[i]);
		grown[before + i + 1] = NULL;
		if (grown[before + i])
			continue;
		while (i-- > 0) {
			free(grown[before + i]);
			grown[before + i] = NULL;
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

struct variable {
	const char *text;
	size_t key_len;
	size_t place;
};

static int compare_keys(const struct variable *a, const struct variable *b)
{
	const size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	const int order = memcmp(a->text, b->text, len);

	return order ? order : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int compare_variables(const void *a, const void *b)
{
	const struct variable *left = a, *right = b;
	const int order = compare_keys(left, right);

	return order ? order : (left->place > right->place) - (left->place < right->place);
}

int strv_unique_env(char **v)
{
	const size_t n = strv_len(v);
	AUTO_FREE struct variable *sorted = calloc(n + 1, sizeof(*sorted));
	size_t kept = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct variable){ v[i], strcspn(v[i], "="), i };
	qsort(sorted, n, sizeof(*sorted), compare_variables);
	for (size_t i = 0, first = 0; i < n; i++) {
		if (compare_keys(&sorted[i], &sorted[first]) != 0)
			first = i;
		if (first == i)
			continue;
		free(v[sorted[first].place]);
		v[sorted[first].place] = v[sorted[i].place];
		v[sorted[i].place] = NULL;
		sorted[first].text = sorted[i].text;
	}
	for (size_t i = 0; i < n; i++)
		if (v[i])
			v[kept++] = v[i];
	if (n > 0)
		v[kept] = NULL;
	return 0;
}

const char *strv_get_env(char *const *v, const char *key)
{
	size_t len = strlen(key);
	size_t i = env_index(v, key, len);

	return v && v[i] ? v[i] + len + 1 : NULL;
}
