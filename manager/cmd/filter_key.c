/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/filter_key.h"

#include <errno.h>
#include <string.h>

#include "manager/cmd/suggest.h"
#include "store/base/buf.h"

static const char *name_of(const void *keys, size_t size, size_t i)
{
	return *(const char *const *)((const char *)keys + i * size);
}

static int unknown(const char *text, size_t len, const void *keys, size_t n, size_t size,
		   struct err *err)
{
	AUTO_BUF struct buf names = BUF_INIT;
	struct suggest suggest;

	suggest_begin(&suggest, text, len);
	for (size_t i = 0; i < n; i++) {
		suggest_offer(&suggest, name_of(keys, size, i));
		buf_addf(&names, "%s%s", i ? ", " : "", name_of(keys, size, i));
	}
	err_set(err, ERR_USAGE, EINVAL, "--filter: unknown key: %.*s", (int)len, text);
	if (suggest_best(&suggest))
		return err_hint(err, "did you mean %s?", suggest_best(&suggest));
	return buf_failed(&names) ? err_code(err) : err_hint(err, "keys: %s", names.data);
}

int filter_key_take(const char *text, const void *keys, size_t n, size_t size, const char **value,
		    struct err *err)
{
	size_t len = strcspn(text, "=");
	size_t i = 0;

	while (i < n && (strlen(name_of(keys, size, i)) != len ||
			 memcmp(name_of(keys, size, i), text, len) != 0))
		i++;
	if (i == n)
		return unknown(text, len, keys, n, size, err);
	if (text[len] == '\0' || text[len + 1] == '\0')
		return err_set(err, ERR_USAGE, EINVAL, "--filter: not of the form KEY=VALUE: %s",
			       text);
	*value = text + len + 1;
	return (int)i;
}

int filter_key_bool(const char *key, const char *value, bool *out, struct err *err)
{
	bool is_true = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;

	if (!is_true && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return err_set(err, ERR_USAGE, EINVAL, "--filter: %s is true or false: %s", key,
			       value);
	*out = is_true;
	return 0;
}

int filter_key_regex(const char *value, regex_t *out, struct err *err)
{
	char why[128];
	int rc = regcomp(out, value, REG_EXTENDED | REG_NOSUB);

	if (rc == 0)
		return 0;
	regerror(rc, out, why, sizeof(why));
	return err_set(err, ERR_USAGE, EINVAL, "--filter: not a regular expression: %s: %s", value,
		       why);
}
