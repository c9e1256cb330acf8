/* SPDX-License-Identifier: Apache-2.0 */
#include "store/images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/db.h"
#include "store/images_find.h"
#include "store/prefix.h"
#include "store/store.h"

#define COLUMNS "id, source, source_digest, created_ns, size"
#define MIN_PREFIX 4

void image_record_release(struct image_record *record)
{
	cleanup_free(&record->source);
	cleanup_free(&record->source_digest);
	cleanup_free(&record->layers);
	for (size_t i = 0; i < record->nnames; i++) {
		free(record->names[i].name);
		free(record->names[i].digest);
	}
	cleanup_free(&record->names);
	*record = (struct image_record)IMAGE_RECORD_INIT;
}

bool image_has_name(const struct image_record *record, const char *name)
{
	for (size_t i = 0; i < record->nnames; i++)
		if (strcmp(record->names[i].name, name) == 0)
			return true;
	return false;
}

static int read_layers(struct store *store, struct image_record *record, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(
		store->db,
		"SELECT diff_id, tree, ifnull(size, 0) FROM image_layer JOIN layer USING (tree)"
		" WHERE image_id = ?1 ORDER BY position",
		DB_ARGS(DB_TEXT(record->id)), &stmt, err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		struct image_layer *grown =
			realloc(record->layers, (record->nlayers + 1) * sizeof(*record->layers));
		struct image_layer *layer;

		if (!grown)
			return err_sys(err, ENOMEM, "cannot read image %.12s", record->id);
		record->layers = grown;
		layer = &grown[record->nlayers];
		r = db_column_copy(stmt, 0, layer->diff_id, sizeof(layer->diff_id), err);
		if (r == 0)
			r = db_column_copy(stmt, 1, layer->tree, sizeof(layer->tree), err);
		if (r < 0)
			return r;
		layer->size = sqlite3_column_int64(stmt, 2);
		record->nlayers++;
	}
	return r;
}

static int read_names(struct store *store, struct image_record *record, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db,
			   "SELECT name, digest FROM image_name WHERE image_id = ?1 ORDER BY name",
			   DB_ARGS(DB_TEXT(record->id)), &stmt, err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		struct image_name *grown =
			realloc(record->names, (record->nnames + 1) * sizeof(*record->names));
		struct image_name name = { 0 };

		if (!grown)
			return err_sys(err, ENOMEM, "cannot read image %.12s", record->id);
		record->names = grown;
		r = db_column_strdup(stmt, 0, &name.name, err);
		if (r == 0)
			r = db_column_strdup(stmt, 1, &name.digest, err);
		if (r < 0) {
			free(name.name);
			return r;
		}
		grown[record->nnames++] = name;
	}
	return r;
}

static int read_record(struct store *store, sqlite3_stmt *stmt, struct image_record *out,
		       struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record record = IMAGE_RECORD_INIT;
	int r = db_column_copy(stmt, 0, record.id, sizeof(record.id), err);

	if (r == 0)
		r = db_column_strdup(stmt, 1, &record.source, err);
	if (r == 0)
		r = db_column_strdup(stmt, 2, &record.source_digest, err);
	if (r == 0)
		r = read_layers(store, &record, err);
	if (r == 0)
		r = read_names(store, &record, err);
	if (r < 0)
		return r;
	record.created_ns = sqlite3_column_int64(stmt, 3);
	record.size = sqlite3_column_int64(stmt, 4);
	*out = record;
	record = (struct image_record)IMAGE_RECORD_INIT;
	return 0;
}

static int read_by_id(struct store *store, const char *id, struct image_record *out,
		      struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, "SELECT " COLUMNS " FROM image WHERE id = ?1",
			   DB_ARGS(DB_TEXT(id)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "no such image: %.12s", id);
	return read_record(store, stmt, out, err);
}

/* The ID that `name` belongs to; 1 where it does to one, else 0. */
static int find_name(struct store *store, const char *name, char id[DIGEST_HEX_LEN + 1],
		     struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, "SELECT image_id FROM image_name WHERE name = ?1",
			   DB_ARGS(DB_TEXT(name)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r <= 0)
		return r;
	r = db_column_copy(stmt, 0, id, DIGEST_HEX_LEN + 1, err);
	return r < 0 ? r : 1;
}

static int find_prefix(struct store *store, const char *prefix, char id[DIGEST_HEX_LEN + 1],
		       struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r;

	if (!prefix_is_one(prefix, MIN_PREFIX))
		return 0;
	r = db_prepare(store->db,
		       "SELECT id FROM image WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT 4",
		       DB_ARGS(DB_TEXT(prefix)), &stmt, err);
	if (r == 0)
		r = db_step(stmt, err);
	if (r <= 0)
		return r;
	r = db_column_copy(stmt, 0, id, DIGEST_HEX_LEN + 1, err);
	if (r == 0)
		r = db_step(stmt, err);
	if (r > 0)
		return prefix_ambiguous(stmt, "images", prefix, id, err);
	return r < 0 ? r : 1;
}

int image_find_id(struct store *store, const char *what, char id[DIGEST_HEX_LEN + 1], char **name,
		  struct err *err)
{
	AUTO_FREE char *as_name = strdup(what);
	AUTO_FREE char *with_tag = NULL;
	const char *digits = begins_with(what, "sha256:") ? what + 7 : what;
	int r;

	if (!as_name || asprintf(&with_tag, "%s:latest", what) < 0)
		return err_sys(err, ENOMEM, "cannot find image %s", what);
	r = find_name(store, as_name, id, err);
	if (r == 0) {
		r = find_name(store, with_tag, id, err);
		if (r > 0) {
			free(as_name);
			as_name = STEAL_PTR(with_tag);
		}
	}
	if (r > 0)
		*name = STEAL_PTR(as_name);
	if (r == 0)
		r = find_prefix(store, digits, id, err);
	if (r == 0) {
		err_set(err, ERR_NOT_FOUND, ENOENT, "no such image: %s", what);
		return err_hint(err, "cman images lists what there is, cman pull gets more");
	}
	return r < 0 ? r : 0;
}

int image_find(struct store *store, const char *name_or_id, struct image_record *out,
	       struct err *err)
{
	char id[DIGEST_HEX_LEN + 1];
	AUTO_FREE char *name = NULL;
	int r = image_find_id(store, name_or_id, id, &name, err);

	return r < 0 ? r : read_by_id(store, id, out, err);
}

int image_each(struct store *store, image_visit *visit, void *data, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_keep_pages(store->db, err);

	if (r == 0)
		r = db_prepare(store->db,
			       "SELECT " COLUMNS " FROM image ORDER BY created_ns DESC, id DESC",
			       NULL, &stmt, err);
	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		AUTO_IMAGE_RECORD struct image_record record = IMAGE_RECORD_INIT;

		r = read_record(store, stmt, &record, err);
		if (r == 0)
			r = visit(&record, data, err);
		if (r != 0)
			return r;
	}
	return r;
}
