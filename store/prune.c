/* SPDX-License-Identifier: Apache-2.0 */
#include "store/prune.h"

#include <errno.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/strv.h"
#include "store/change.h"
#include "store/collect.h"
#include "store/db.h"
#include "store/hold.h"
#include "store/images_sql.h"
#include "store/partials.h"
#include "store/reserve.h"
#include "store/store.h"

/* ?1: those with names, too; ?2: the time before which they came. */
#define IS_UNNEEDED                                                           \
	"created_ns < ?2"                                                     \
	" AND NOT EXISTS (SELECT 1 FROM container WHERE image_id = image.id)" \
	" AND (?1 OR NOT EXISTS (SELECT 1 FROM image_name WHERE image_id = image.id))"

/* Unless somebody has come to need it since it was listed. */
static int prune_image(struct store *store, const struct prune_request *request, const char *id,
		       image_removed *removed, void *data, struct err *err)
{
	const int64_t now = clock_now_ns();
	const struct change_step untag =
		CHANGE_EVENT(IMAGE_EVENT_UNTAG_ALL, DB_TEXT(id), DB_INT(now));
	const struct change_step gone = CHANGE_EVENT(IMAGE_EVENT_DELETE, DB_TEXT(id), DB_INT(now));
	/* Names, manifests and image_layer rows go with it. */
	const struct change_step delete =
		CHANGE_RECORD("DELETE FROM image WHERE " IS_UNNEEDED " AND id = ?3",
			      DB_INT(request->all), DB_INT(request->before_ns), DB_TEXT(id));
	AUTO_STRV char **names = NULL;
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(store->db, &tx, err);

	if (r < 0 || image_is_mounted(store, id))
		return r;
	r = db_list_texts(store->db,
			  "SELECT name FROM image_name WHERE image_id = ?1 ORDER BY name",
			  DB_ARGS(DB_TEXT(id)), &names, err);
	if (r == 0)
		r = change_run(store, CHANGE_STEPS(untag, gone, delete), err);
	if (r <= 0)
		return r;
	r = db_commit(&tx, err);
	if (r < 0)
		return r;
	for (size_t i = 0; names && names[i]; i++)
		removed(names[i], false, data);
	removed(id, true, data);
	return 0;
}

static int prune_images(struct store *store, const struct prune_request *request,
			image_removed *removed, void *data, struct err *err)
{
	AUTO_STRV char **ids = NULL;
	int r = db_list_texts(store->db,
			      "SELECT id FROM image WHERE " IS_UNNEEDED " ORDER BY created_ns, id",
			      DB_ARGS(DB_INT(request->all), DB_INT(request->before_ns)), &ids, err);

	for (size_t i = 0; r == 0 && ids && ids[i]; i++)
		r = prune_image(store, request, ids[i], removed, data, err);
	return r;
}

static int prune_unnamed(struct store *store, const struct prune_request *request,
			 struct prune_result *result, struct err *err)
{
	AUTO_CLOSE int alone = -1;
	int r = store_hold_alone(store, &alone, err);

	if (r == -EAGAIN) {
		*err = (struct err)ERR_INIT;
		result->later = true;
		return 0;
	}
	if (r == 0)
		r = collect_unnamed(store, COLLECT_LAYERS, request->before_ns, &result->bytes, err);
	return r < 0 ? r :
		       collect_unnamed(store, COLLECT_BLOBS, request->before_ns, &result->bytes,
				       err);
}

int store_prune(struct store *store, const struct prune_request *request, image_removed *removed,
		void *data, struct prune_result *out, struct err *err)
{
	struct prune_result result = { 0 };
	struct err later = ERR_INIT;
	int r = prune_images(store, request, removed, data, err);
	int trash;

	/* On a full disk, too, or nobody could ever clear it. */
	if (r == -ENOSPC && reserve_spend(store->root_fd)) {
		*err = (struct err)ERR_INIT;
		r = prune_images(store, request, removed, data, err);
	}
	if (r == 0)
		r = prune_unnamed(store, request, &result, err);
	/* What was taken away makes room even where the rest could not be. */
	trash = collect_trash(store, r < 0 ? &later : err);
	if (r == 0)
		r = trash;
	if (r == 0)
		r = partials_remove(store, request->before_ns, &result.bytes, err);
	if (r < 0)
		return r;
	*out = result;
	return 0;
}
