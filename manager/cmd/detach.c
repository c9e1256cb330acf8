/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/detach.h"

#include <string.h>

/* One key at `text` of `len` bytes, or -1. */
static int parse_key(const char *text, size_t len)
{
	if (len == 1)
		return (unsigned char)text[0];
	if (len != 6 || memcmp(text, "ctrl-", 5) != 0)
		return -1;

	char c = text[5];

	if (c >= 'a' && c <= 'z')
		return c - 'a' + 1;
	if (c == '@' || (c >= '[' && c <= '_'))
		return c - '@';
	return -1;
}

int detach_keys_parse(const char *text, struct detach_keys *out, struct err *err)
{
	struct detach_keys keys = { .len = 0 };

	for (const char *at = text; *text && at;) {
		size_t len = strcspn(at, ",");
		int key = parse_key(at, len);

		if (key < 0) {
			err_set(err, ERR_USAGE, 0, "--detach-keys: not a key: %.*s", (int)len, at);
			return err_hint(err, "keys look like a or ctrl-a, with commas between");
		}
		if (keys.len == DETACH_KEYS_MAX)
			return err_set(err, ERR_USAGE, 0, "--detach-keys: more than %d keys",
				       DETACH_KEYS_MAX);
		keys.keys[keys.len++] = (unsigned char)key;
		at = at[len] ? at + len + 1 : NULL;
	}
	*out = keys;
	return 0;
}

/*
 * The held keys turned out to be no sequence with `next`: let the oldest go until what is left
 * is a beginning of the sequence again.
 */
static void let_go(struct detach_keys *keys, unsigned char next, char *out, size_t *n)
{
	while (keys->matched > 0 && keys->keys[keys->matched] != next) {
		size_t skip = 1;

		while (memcmp(keys->keys, keys->keys + skip, keys->matched - skip) != 0)
			skip++;
		memcpy(out + *n, keys->keys, skip);
		*n += skip;
		keys->matched -= skip;
	}
}

bool detach_keys_feed(struct detach_keys *keys, const char *typed, size_t len, char *out,
		      size_t *out_len)
{
	size_t n = 0;
	bool complete = false;

	for (size_t i = 0; i < len && !complete; i++) {
		unsigned char key = (unsigned char)typed[i];

		if (keys->len == 0) {
			out[n++] = typed[i];
			continue;
		}
		let_go(keys, key, out, &n);
		if (keys->keys[keys->matched] != key)
			out[n++] = typed[i];
		else
			complete = ++keys->matched == keys->len;
	}
	*out_len = n;
	return complete;
}
