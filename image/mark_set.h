/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_MARK_SET_H
#define CMAN_IMAGE_MARK_SET_H

/*
 * What a tree that is being made has to tell of its directories (image/marks.h), by path. Most
 * layers have none or a few.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/marks.h"

struct mark_entry {
	char *path;
	uint64_t hash;
	bool opaque;
	bool implicit;
};

struct mark_set {
	struct mark_entry *entries;
	size_t count;
	size_t room;
	uint32_t *table; /* of indices of entries + 1, a power of two of them; 0: free */
	size_t table_size;
};

#define MARK_SET_INIT \
	{             \
		0     \
	}
void mark_set_release(struct mark_set *set);

/* -ENOMEM, or -E2BIG above MARKS_MAX_COUNT. */
int mark_set_add(struct mark_set *set, const char *path, enum mark_kind kind);
void mark_set_drop(struct mark_set *set, const char *path, enum mark_kind kind);

/*
 * Order by path as walk_compare() does, a directory before those in it and all of those before the
 * next one, for `entries` to be gone through. Nothing can be asked or added afterwards.
 */
void mark_set_sort(struct mark_set *set);

#endif
