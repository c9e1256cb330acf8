/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_SUGGEST_H
#define CMAN_MANAGER_CMD_SUGGEST_H

/*
 * "Did you mean …?": the known word nearest to one that was mistyped. Near means few of: a letter
 * too many, one missing, one wrong, two swapped; or that what was typed is the beginning of it.
 */

#include <stddef.h>

struct suggest {
	const char *word;
	size_t len;
	const char *best; /* one of the offered ones; NULL where none is near */
	unsigned distance;
};

/* `word` must outlive it and need not be NUL-terminated. */
void suggest_begin(struct suggest *suggest, const char *word, size_t len);
void suggest_offer(struct suggest *suggest, const char *known);
/* The nearest (of equals the first), or NULL. */
const char *suggest_best(const struct suggest *suggest);

#endif
