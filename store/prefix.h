/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_PREFIX_H
#define CMAN_STORE_PREFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

struct sqlite3_stmt;

/*
 * IDs of 64 hex digits, found by their first ones: "id >= prefix AND id < prefix || 'g'", since "g"
 * follows every hex digit.
 */

#define PREFIX_CANDIDATES 3 /* how many are named; a query needs one row more */

/* Whether `text` has `min` to 64 lower-case hex digits and nothing else. */
bool prefix_is_one(const char *text, size_t min);

/*
 * ERR_AMBIGUOUS: "PREFIX fits several KINDS: ID, ID, ID, ...". `stmt`, whose column 0 is the ID,
 * stands on its second row; `first` is the ID of the row before.
 */
int prefix_ambiguous(struct sqlite3_stmt *stmt, const char *kinds, const char *prefix,
		     const char *first, struct err *err);

#endif
