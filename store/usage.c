/* SPDX-License-Identifier: Apache-2.0 */
#include "store/usage.h"

#include <errno.h>

#include "store/db.h"
#include "store/images.h"
#include "store/partials.h"
#include "store/store.h"

/* Tables of this connection alone, in memory: what is in use is asked for several times. */
static const char notes[] =
	"DROP TABLE IF EXISTS temp.used_image;"
	"CREATE TABLE temp.used_image (id TEXT PRIMARY KEY) WITHOUT ROWID;"
	"INSERT INTO temp.used_image"
	" SELECT DISTINCT image_id FROM container WHERE image_id IS NOT NULL;"

	/* The blobs of an image are those of its manifests, and the manifests themselves. */
	"DROP TABLE IF EXISTS temp.image_blob;"
	"CREATE TABLE temp.image_blob (image_id TEXT, digest TEXT, PRIMARY KEY (image_id, digest))"
	" WITHOUT ROWID;"
	"INSERT INTO temp.image_blob SELECT image_id, digest FROM manifest;"
	"INSERT OR IGNORE INTO temp.image_blob SELECT image_id, manifest_blob.digest"
	" FROM manifest_blob JOIN manifest ON manifest.digest = manifest_blob.manifest;"

	"DROP TABLE IF EXISTS temp.shared_tree;"
	"CREATE TABLE temp.shared_tree (tree TEXT PRIMARY KEY) WITHOUT ROWID;"
	"INSERT INTO temp.shared_tree SELECT tree FROM image_layer"
	" GROUP BY tree HAVING min(image_id) != max(image_id);"
	"DROP TABLE IF EXISTS temp.shared_blob;"
	"CREATE TABLE temp.shared_blob (digest TEXT PRIMARY KEY) WITHOUT ROWID;"
	"INSERT INTO temp.shared_blob SELECT digest FROM temp.image_blob"
	" GROUP BY digest HAVING min(image_id) != max(image_id);";

static int note_what_is_used(struct store *store, struct err *err)
{
	AUTO_STMT sqlite3_stmt *ids = NULL;
	int r = db_keep_pages(store->db, err);

	if (r == 0)
		r = db_exec(store->db, notes, err);
	if (r == 0)
		r = db_prepare(store->db, "SELECT id FROM image", NULL, &ids, err);
	if (r < 0)
		return r;
	while ((r = db_step(ids, err)) > 0) {
		const char *id = (const char *)sqlite3_column_text(ids, 0);

		if (!id || !image_is_mounted(store, id))
			continue;
		r = db_run(store->db, "INSERT OR IGNORE INTO temp.used_image VALUES (?1)",
			   DB_ARGS(DB_TEXT(id)), err);
		if (r < 0)
			return r;
	}
	return r;
}

static int query(struct store *store, const char *sql, int64_t *out, struct err *err)
{
	return db_query_int(store->db, sql, NULL, 0, out, err);
}

static int usage_of_images(struct store *store, struct usage *usage, struct err *err)
{
	const struct {
		const char *sql;
		int64_t *out;
	} numbers[] = {
		{ "SELECT count(*) FROM image", &usage->images },
		{ "SELECT count(*) FROM temp.used_image", &usage->used_images },
		{ "SELECT ifnull(sum(size), 0) FROM layer", &usage->layer_bytes },
		{ "SELECT ifnull(sum(size), 0) FROM blob", &usage->blob_bytes },
		{ "SELECT ifnull((SELECT sum(size) FROM layer WHERE tree NOT IN"
		  "  (SELECT tree FROM image_layer JOIN temp.used_image ON image_id = id)), 0)"
		  " + ifnull((SELECT sum(size) FROM blob WHERE digest NOT IN"
		  "  (SELECT digest FROM temp.image_blob JOIN temp.used_image ON image_id = id)), 0)",
		  &usage->reclaimable_bytes },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(numbers) / sizeof(*numbers); i++)
		r = query(store, numbers[i].sql, numbers[i].out, err);
	return r;
}

static int add_download(int64_t bytes, bool held, void *data)
{
	struct usage *usage = data;

	usage->downloads++;
	usage->download_bytes += bytes;
	usage->held_downloads += held;
	usage->held_bytes += held ? bytes : 0;
	return 0;
}

int store_usage(struct store *store, struct usage *out, struct err *err)
{
	struct usage usage = { 0 };
	int r = note_what_is_used(store, err);

	if (r == 0)
		r = usage_of_images(store, &usage, err);
	if (r == 0)
		r = partials_each(store, add_download, &usage, err);
	if (r < 0)
		return r;
	*out = usage;
	return 0;
}

int image_usage_each(struct store *store, image_usage_visit *visit, void *data, struct err *err)
{
	static const char sql[] =
		"SELECT id, (SELECT min(name) FROM image_name WHERE image_id = id), created_ns,"
		" (SELECT ifnull(sum(size), 0) FROM layer WHERE tree IN"
		"  (SELECT tree FROM image_layer WHERE image_id = id)),"
		" (SELECT ifnull(sum(size), 0) FROM blob WHERE digest IN"
		"  (SELECT digest FROM temp.image_blob WHERE image_id = id)),"
		" (SELECT ifnull(sum(size), 0) FROM layer WHERE tree IN (SELECT tree FROM image_layer"
		"  JOIN temp.shared_tree USING (tree) WHERE image_id = image.id)) +"
		" (SELECT ifnull(sum(size), 0) FROM blob WHERE digest IN (SELECT digest"
		"  FROM temp.image_blob JOIN temp.shared_blob USING (digest) WHERE image_id = image.id)),"
		" (SELECT count(*) FROM container WHERE image_id = image.id)"
		" FROM image ORDER BY created_ns DESC, id DESC";
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = note_what_is_used(store, err);

	if (r == 0)
		r = db_prepare(store->db, sql, NULL, &stmt, err);
	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		const struct image_usage usage = {
			.id = (const char *)sqlite3_column_text(stmt, 0),
			.name = (const char *)sqlite3_column_text(stmt, 1),
			.created_ns = sqlite3_column_int64(stmt, 2),
			.layer_bytes = sqlite3_column_int64(stmt, 3),
			.blob_bytes = sqlite3_column_int64(stmt, 4),
			.shared_bytes = sqlite3_column_int64(stmt, 5),
			.containers = sqlite3_column_int64(stmt, 6),
		};

		r = visit(&usage, data, err);
		if (r != 0)
			return r;
	}
	return r;
}
