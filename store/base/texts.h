/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_TEXTS_H
#define CMAN_STORE_BASE_TEXTS_H

/*
 * Strings one behind the other, each ended by its NUL: how they lie in files and memfds of cman's
 * own. A missing one and an empty one are the same there.
 */

#include <stddef.h>

#include "store/base/buf.h"

void texts_add(struct buf *buf, const char *text); /* NULL: as "" */
void texts_add_all(struct buf *buf, char *const *v);

/* What is still to be read. */
struct texts {
	const char *at, *end;
};

/* The next one, where it lies, or NULL: there is no further NUL. */
const char *texts_next(struct texts *texts);

/* A copy of the next one, NULL for "". 0, or -1 where there is none, or no memory. */
int texts_take(struct texts *texts, char **out);

/* Append the next `n` to *out (strv.h). 0 or -1, likewise. */
int texts_take_all(struct texts *texts, size_t n, char ***out);

#endif
