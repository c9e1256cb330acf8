/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/suggest.h"

#include <stdbool.h>
#include <string.h>

#define WORD_MAX 32 /* longer than any word that is known */
#define FAR (2 * WORD_MAX)

static unsigned min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edit distance with swaps of neighbours (optimal string alignment). */
static unsigned distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= blen; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= alen; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			bool same = a[i - 1] == b[j - 1];

			row[j] = min2(min2(last[j], row[j - 1]) + 1, last[j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min2(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[blen];
}

void suggest_begin(struct suggest *suggest, const char *word, size_t len)
{
	*suggest = (struct suggest){ .word = word, .len = len, .distance = FAR };
}

void suggest_offer(struct suggest *suggest, const char *known)
{
	size_t len = strlen(known);
	unsigned far;

	if (suggest->len == 0 || suggest->len > WORD_MAX || len > WORD_MAX)
		return;
	if (len > suggest->len && suggest->len >= 2 &&
	    memcmp(known, suggest->word, suggest->len) == 0)
		far = 1;
	else
		far = distance(suggest->word, suggest->len, known, len);
	/* One letter of three may be wrong, two of five: with more it is another word. */
	if (far > 2 || 3 * far > suggest->len + 1 || far >= suggest->distance)
		return;
	suggest->best = known;
	suggest->distance = far;
}

const char *suggest_best(const struct suggest *suggest)
{
	return suggest->best;
}
