/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_EXPECTED_H
#define CMAN_STORE_EXPECTED_H

/*
 * Statements that will be asked for soon. To compile one takes SQLite ten times as long as to run
 * it: who has nothing to do but to wait compiles them meanwhile.
 */

#include "store/db.h"

struct store;

/* Compile `sql`, where there is room for it; what fails will fail again, and say so. */
void expected_compile(struct store *store, const char *sql);

/* As db_prepare(), with what was compiled if it was. */
int expected_prepare(struct store *store, const char *sql, const struct db_arg *args,
		     sqlite3_stmt **out, struct err *err);
/* As db_run(), but without room made on a full disk, and db_query_int(). */
int expected_run(struct store *store, const char *sql, const struct db_arg *args, struct err *err);
int expected_query_int(struct store *store, const char *sql, const struct db_arg *args,
		       int64_t missing, int64_t *out, struct err *err);

/* Before the database is closed. */
void expected_forget(struct store *store);

#endif
