/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_CHANGE_H
#define CMAN_STORE_CHANGE_H

/*
 * A change of records and the events that tell of it, in one transaction: one is never without the
 * other. No triggers do that: every process that opens the database would have to compile them, and
 * few of them change a record.
 */

#include "store/db.h"

struct store;

struct change_step {
	const char *sql; /* one statement */
	const struct db_arg *args;
	bool event; /* it adds rows to the table event, and changes no record */
};
#define CHANGE_EVENT(sql, ...)                    \
	{                                         \
		(sql), DB_ARGS(__VA_ARGS__), true \
	}
#define CHANGE_RECORD(sql, ...)                    \
	{                                          \
		(sql), DB_ARGS(__VA_ARGS__), false \
	}
#define CHANGE_STEPS(...) ((const struct change_step[]){ __VA_ARGS__, { 0 } })

/*
 * Run the steps in order, in the caller's transaction if there is one, else in one of their own.
 * Returns how many records the last step that is no event has changed (1: all are events). With
 * none, a transaction of its own is rolled back, and so are events that came before. On a full
 * disk: as db_run().
 */
int change_run(struct store *store, const struct change_step *steps, struct err *err);
/* The same with the reserve (reserve.h), for what has to be recorded on a full disk, too. */
int change_run_with_reserve(struct store *store, const struct change_step *steps, struct err *err);

#endif
