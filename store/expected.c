/* SPDX-License-Identifier: Apache-2.0 */
#include "store/expected.h"

#include <string.h>

#include "store/store.h"

void expected_compile(struct store *store, const char *sql)
{
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < STORE_EXPECTED; i++) {
		if (store->expected[i] && strcmp(sqlite3_sql(store->expected[i]), sql) == 0)
			return;
		if (store->expected[i])
			continue;
		(void)db_prepare(store->db, sql, NULL, &store->expected[i], &ignored);
		return;
	}
}

int expected_prepare(struct store *store, const char *sql, const struct db_arg *args,
		     sqlite3_stmt **out, struct err *err)
{
	for (size_t i = 0; i < STORE_EXPECTED; i++) {
		AUTO_STMT sqlite3_stmt *stmt = store->expected[i];
		int r;

		if (!stmt || strcmp(sqlite3_sql(stmt), sql) != 0) {
			stmt = NULL;
			continue;
		}
		store->expected[i] = NULL;
		r = db_bind(stmt, args, err);
		if (r < 0)
			return r;
		*out = stmt;
		stmt = NULL;
		return 0;
	}
	return db_prepare(store->db, sql, args, out, err);
}

int expected_run(struct store *store, const char *sql, const struct db_arg *args, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = expected_prepare(store, sql, args, &stmt, err);

	if (r < 0)
		return r;
	do
		r = db_step(stmt, err);
	while (r > 0);
	return r;
}

int expected_query_int(struct store *store, const char *sql, const struct db_arg *args,
		       int64_t missing, int64_t *out, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = expected_prepare(store, sql, args, &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	*out = r ? sqlite3_column_int64(stmt, 0) : missing;
	return 0;
}

void expected_forget(struct store *store)
{
	for (size_t i = 0; i < STORE_EXPECTED; i++) {
		sqlite3_finalize(store->expected[i]);
		store->expected[i] = NULL;
	}
}
