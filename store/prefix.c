/* SPDX-License-Identifier: Apache-2.0 */
#include "store/prefix.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "store/db.h"

#define ID_DIGITS 64

bool prefix_is_one(const char *text, size_t min)
{
	size_t len = strlen(text);

	return len >= min && len <= ID_DIGITS && strspn(text, "0123456789abcdef") == len;
}

int prefix_ambiguous(struct sqlite3_stmt *stmt, const char *kinds, const char *prefix,
		     const char *first, struct err *err)
{
	char list[128];
	int len = snprintf(list, sizeof(list), "%.12s", first);
	int count = 1;
	int r = 1;

	for (; r > 0 && count < PREFIX_CANDIDATES; count++) {
		len += snprintf(list + len, sizeof(list) - (size_t)len, ", %.12s",
				(const char *)sqlite3_column_text(stmt, 0));
		r = db_step(stmt, err);
	}
	if (r < 0)
		return r;
	err_set(err, ERR_AMBIGUOUS, ENOTUNIQ, "%s fits several %s: %s%s", prefix, kinds, list,
		r > 0 ? ", ..." : "");
	return err_hint(err, "write more digits of the ID, or the name");
}
