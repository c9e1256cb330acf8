/* SPDX-License-Identifier: Apache-2.0 */
#include "store/change.h"

#include <errno.h>

#include "store/expected.h"
#include "store/reserve.h"
#include "store/store.h"

#define EVENTS_KEPT 16384
/* How many may come before the oldest go. */
#define EVENTS_STEP 256

/* Events have been added: their IDs ascend without a gap. */
static int bound_events(struct store *store, struct err *err)
{
	const int64_t last = sqlite3_last_insert_rowid(store->db);
	const int64_t before = last - sqlite3_changes(store->db);

	if (last / EVENTS_STEP == before / EVENTS_STEP)
		return 0;
	return db_run(store->db, "DELETE FROM event WHERE id <= ?1",
		      DB_ARGS(DB_INT(last - EVENTS_KEPT)), err);
}

static int run_steps(struct store *store, const struct change_step *steps, struct err *err)
{
	int changed = -1;

	for (const struct change_step *step = steps; step->sql; step++) {
		int r = expected_run(store, step->sql, step->args, err);

		if (r == 0 && !step->event)
			changed = sqlite3_changes(store->db);
		else if (r == 0)
			r = bound_events(store, err);
		if (r < 0)
			return r;
	}
	return changed < 0 ? 1 : changed;
}

static int run_once(struct store *store, const struct change_step *steps, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int changed, r;

	if (!sqlite3_get_autocommit(store->db))
		return run_steps(store, steps, err);
	r = db_begin(store->db, &tx, err);
	if (r < 0)
		return r;
	changed = run_steps(store, steps, err);
	if (changed <= 0)
		return changed;
	r = db_commit(&tx, err);
	return r < 0 ? r : changed;
}

int change_run(struct store *store, const struct change_step *steps, struct err *err)
{
	/* A full disk ends a transaction, too: what is in one is not for us to do again. */
	const bool by_itself = sqlite3_get_autocommit(store->db);
	int r = run_once(store, steps, err);

	if (r != -ENOSPC || !by_itself || !db_make_room(store->db))
		return r;
	*err = (struct err)ERR_INIT;
	return run_once(store, steps, err);
}

int change_run_with_reserve(struct store *store, const struct change_step *steps, struct err *err)
{
	const bool by_itself = sqlite3_get_autocommit(store->db);
	int r = change_run(store, steps, err);

	if (r != -ENOSPC || !by_itself || !reserve_spend(store->root_fd))
		return r;
	*err = (struct err)ERR_INIT;
	return run_once(store, steps, err);
}
