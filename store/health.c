/* SPDX-License-Identifier: Apache-2.0 */
#include "store/health.h"

#include <errno.h>

#include "store/db.h"
#include "store/store.h"

static int add(struct store *store, const char *id, const struct health_check *check,
	       enum container_health health, int failures, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(store->db, &tx, err);

	if (r == 0)
		r = container_set_health(store, id, health, failures, err);
	if (r == 0)
		r = db_run(store->db,
			   "INSERT OR REPLACE INTO health_check"
			   " (container_id, started_ns, finished_ns, exit_code, output)"
			   " VALUES (?1, ?2, ?3, ?4, ?5)",
			   DB_ARGS(DB_TEXT(id), DB_INT(check->started_ns),
				   DB_INT(check->finished_ns), DB_INT(check->exit_code),
				   DB_TEXT(check->output)),
			   err);
	if (r == 0)
		r = db_run(store->db,
			   "DELETE FROM health_check WHERE container_id = ?1 AND started_ns NOT IN"
			   " (SELECT started_ns FROM health_check WHERE container_id = ?1"
			   "  ORDER BY started_ns DESC LIMIT ?2)",
			   DB_ARGS(DB_TEXT(id), DB_INT(HEALTH_CHECKS_KEPT)), err);
	return r < 0 ? r : db_commit(&tx, err);
}

int health_check_add(struct store *store, const char *id, const struct health_check *check,
		     enum container_health health, int failures, struct err *err)
{
	int r = add(store, id, check, health, failures, err);

	if (r != -ENOSPC || !db_make_room(store->db))
		return r;
	*err = (struct err)ERR_INIT;
	return add(store, id, check, health, failures, err);
}

int health_check_each(struct store *store, const char *id, health_check_visit *visit, void *data,
		      struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db,
			   "SELECT started_ns, finished_ns, exit_code, output FROM health_check"
			   " WHERE container_id = ?1 ORDER BY started_ns",
			   DB_ARGS(DB_TEXT(id)), &stmt, err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		const struct health_check check = {
			.started_ns = sqlite3_column_int64(stmt, 0),
			.finished_ns = sqlite3_column_int64(stmt, 1),
			.exit_code = sqlite3_column_int(stmt, 2),
			.output = (const char *)sqlite3_column_text(stmt, 3),
		};

		r = visit(&check, data, err);
		if (r != 0)
			return r;
	}
	return r;
}
