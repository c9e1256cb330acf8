/* SPDX-License-Identifier: Apache-2.0 */
#include "store/events.h"

#include "store/base/clock.h"
#include "store/change.h"
#include "store/db.h"
#include "store/store.h"

int event_add(struct store *store, const struct event *event, struct err *err)
{
	const struct change_step add = CHANGE_EVENT(
		"INSERT INTO event (time_ns, type, action, object, name, image, detail, labels)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		DB_INT(event->time_ns ? event->time_ns : clock_now_ns()), DB_TEXT(event->type),
		DB_TEXT(event->action), DB_TEXT(event->object), DB_TEXT(event->name),
		DB_TEXT(event->image), DB_TEXT(event->detail), DB_TEXT(event->labels));
	int r = change_run(store, CHANGE_STEPS(add), err);

	return r < 0 ? r : 0;
}

static const char *text(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

int event_each(struct store *store, int64_t after, event_visit *visit, void *data, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db,
			   "SELECT id, time_ns, type, action, object, name, image,"
			   " ifnull(exit_code, -1), detail, labels"
			   " FROM event WHERE id > ?1 ORDER BY id",
			   DB_ARGS(DB_INT(after)), &stmt, err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		const struct event event = {
			.id = sqlite3_column_int64(stmt, 0),
			.time_ns = sqlite3_column_int64(stmt, 1),
			.type = text(stmt, 2),
			.action = text(stmt, 3),
			.object = text(stmt, 4),
			.name = text(stmt, 5),
			.image = text(stmt, 6),
			.exit_code = sqlite3_column_int(stmt, 7),
			.detail = text(stmt, 8),
			.labels = text(stmt, 9),
		};

		r = visit(&event, data, err);
		if (r != 0)
			return r;
	}
	return r;
}
