/* SPDX-License-Identifier: Apache-2.0 */
#include "store/images.h"

#include <errno.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/db.h"
#include "store/events.h"
#include "store/images_find.h"
#include "store/images_flat.h"
#include "store/images_manifest.h"
#include "store/layers.h"
#include "store/store.h"

/*
 * The ID of an image is the digest of its configuration, and that says which layers it has, and
 * what its flat form is. Where they differ, a process that has read foreign bytes has lied, now or
 * then.
 */
static int refuse(const char *id, const char *what, struct err *err)
{
	err_set(err, ERR_CORRUPT, EBADMSG, "image %.12s is here with %s", id, what);
	return err_hint(err, "remove one that you do not trust: cman rmi %.12s", id);
}

static int check_count(struct store *store, const struct image_record *image, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, "SELECT count(*) FROM image_layer WHERE image_id = ?1",
			   DB_ARGS(DB_TEXT(image->id)), &stmt, err);
	int64_t count;

	if (r == 0)
		r = db_step(stmt, err);
	if (r <= 0)
		return r;
	count = sqlite3_column_int64(stmt, 0);
	return count > 0 && count != (int64_t)image->nlayers ?
		       refuse(image->id, "other layers", err) :
		       0;
}

/*
 * *kept: the image has its layer at `position` already. That one stays even where the layer is
 * offered under another tree now: containers are mounted on it.
 */
static int has_layer(struct store *store, const char *id, size_t position, const char *diff_id,
		     bool *kept, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	char tree[DIGEST_HEX_LEN + 1], theirs[DIGEST_HEX_LEN + 1];
	int r = db_prepare(store->db,
			   "SELECT tree, diff_id FROM image_layer JOIN layer USING (tree)"
			   " WHERE image_id = ?1 AND position = ?2",
			   DB_ARGS(DB_TEXT(id), DB_INT(position)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r <= 0)
		return r;
	r = db_column_copy(stmt, 0, tree, sizeof(tree), err);
	if (r == 0)
		r = db_column_copy(stmt, 1, theirs, sizeof(theirs), err);
	if (r < 0)
		return r;
	if (strcmp(theirs, diff_id) != 0)
		return refuse(id, "other layers", err);
	*kept = layer_exists(store, tree);
	return 0;
}

static int put_layer(struct store *store, const struct image_record *image, size_t position,
		     struct err *err)
{
	const struct image_layer *layer = &image->layers[position];
	bool kept = false;
	int r = has_layer(store, image->id, position, layer->diff_id, &kept, err);

	if (r < 0 || kept)
		return r;
	/* Under the write lock, so that nobody can remove it after this look at it. */
	if (!layer_exists(store, layer->tree)) {
		err_set(err, ERR_NOT_FOUND, ENOENT, "layer %.12s is not in the store", layer->tree);
		return err_hint(err, "it was removed meanwhile: pull again");
	}
	r = db_run(
		store->db,
		"INSERT INTO layer (tree, diff_id, size, created_ns, named)"
		" VALUES (?1, ?2, nullif(?3, -1), ?4, 1)"
		" ON CONFLICT (tree) DO UPDATE SET size = ifnull(excluded.size, size), named = 1",
		DB_ARGS(DB_TEXT(layer->tree), DB_TEXT(layer->diff_id), DB_INT(layer->size),
			DB_INT(image->created_ns)),
		err);
	if (r < 0)
		return r;
	return db_run(store->db,
		      "INSERT INTO image_layer (image_id, position, tree)"
		      " VALUES (?1, ?2, ?3)"
		      " ON CONFLICT (image_id, position) DO UPDATE SET tree = excluded.tree",
		      DB_ARGS(DB_TEXT(image->id), DB_INT(position), DB_TEXT(layer->tree)), err);
}

static int put_flat(struct store *store, const struct image_record *image, struct err *err)
{
	bool same = true;
	int r = 0;

	if (image->flat)
		r = image_flat_add(store, image->id, image->flat, image->flat_len, &same, err);
	return r == 0 && !same ? refuse(image->id, "another configuration", err) : r;
}

/* The sum over its layers. */
static int put_size(struct store *store, const char *id, struct err *err)
{
	return db_run(store->db,
		      "UPDATE image SET size = (SELECT ifnull(sum(layer.size), 0)"
		      " FROM image_layer JOIN layer USING (tree) WHERE image_id = ?1)"
		      " WHERE id = ?1",
		      DB_ARGS(DB_TEXT(id)), err);
}

/* Whose name it was: "" where nobody's. */
static int find_owner(struct store *store, const char *name, char id[DIGEST_HEX_LEN + 1],
		      struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, "SELECT image_id FROM image_name WHERE name = ?1",
			   DB_ARGS(DB_TEXT(name)), &stmt, err);

	id[0] = '\0';
	if (r == 0)
		r = db_step(stmt, err);
	return r <= 0 ? r : db_column_copy(stmt, 0, id, DIGEST_HEX_LEN + 1, err);
}

/* The name goes to the image, and manifests that it stood for may go. */
static int put_name(struct store *store, const char *id, const char *manifest, const char *name,
		    const char *published, struct err *err)
{
	char before[DIGEST_HEX_LEN + 1];
	int r = find_owner(store, name, before, err);

	if (r == 0)
		r = db_run(
			store->db,
			"INSERT INTO image_name (name, image_id, manifest, digest)"
			" VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET"
			" image_id = excluded.image_id, manifest = excluded.manifest,"
			" digest = excluded.digest",
			DB_ARGS(DB_TEXT(name), DB_TEXT(id), DB_TEXT(manifest), DB_TEXT(published)),
			err);
	if (r == 0 && strcmp(before, id) != 0)
		r = event_add(
			store,
			&(struct event){
				.type = "image", .action = "tag", .object = id, .name = name },
			err);
	if (r == 0 && before[0])
		r = image_manifest_prune(store, before, err);
	return r < 0 ? r : image_manifest_prune(store, id, err);
}

static int put_rows(struct store *store, const struct image_record *image,
		    const struct image_manifest *manifest, const char *name, const char *published,
		    struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(store->db, &tx, err);

	if (r == 0)
		r = db_run(store->db,
			   "INSERT INTO image"
			   " (id, config, source, source_digest, created_ns, size)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING",
			   DB_ARGS(DB_TEXT(image->id), DB_TEXT(image->config),
				   DB_TEXT(image->source), DB_TEXT(image->source_digest),
				   DB_INT(image->created_ns), DB_INT(image->size)),
			   err);
	if (r == 0 && sqlite3_changes(store->db) > 0)
		r = event_add(store,
			      &(struct event){ .type = "image",
					       .action = "create",
					       .object = image->id,
					       .detail = image->source },
			      err);
	if (r == 0)
		r = put_flat(store, image, err);
	if (r == 0)
		r = check_count(store, image, err);
	for (size_t i = 0; r == 0 && i < image->nlayers; i++)
		r = put_layer(store, image, i, err);
	if (r == 0 && image->size < 0)
		r = put_size(store, image->id, err);
	if (r == 0 && manifest)
		r = image_manifest_put(store, image->id, manifest, clock_now_ns(), err);
	if (r == 0 && name)
		r = put_name(store, image->id, manifest ? manifest->digest : NULL, name, published,
			     err);
	return r < 0 ? r : db_commit(&tx, err);
}

int image_put(struct store *store, const struct image_record *image,
	      const struct image_manifest *manifest, const char *name, const char *published,
	      struct err *err)
{
	struct err ignored = ERR_INIT;
	/*
	 * What was renamed stays so: without this a power cut may undo the renames of layers and
	 * blobs and keep the rows that name them.
	 */
	int r = store_sync(store, err);

	if (r == 0)
		r = put_rows(store, image, manifest, name, published, err);
	if (r < 0)
		return err_wrap(err, "cannot record image %s", name ? name : image->id);
	/*
	 * Nobody wants to pull again after a power cut; but the image is there, whatever comes of
	 * it.
	 */
	(void)db_checkpoint(store->db, &ignored);
	return 0;
}

int image_tag(struct store *store, const char *name_or_id, const char *name, struct err *err)
{
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	AUTO_TX sqlite3 *tx = NULL;
	AUTO_FREE char *found = NULL;
	char id[DIGEST_HEX_LEN + 1];
	struct err missing = ERR_INIT;
	int r = db_begin(store->db, &tx, err);

	if (r == 0)
		r = image_find_id(store, name_or_id, id, &found, err);
	if (r < 0)
		return r;
	/* One of an earlier version has none; it can have names all the same. */
	r = image_manifest_get(store, name_or_id, &manifest, &missing);
	if (r < 0 && missing.kind != ERR_NOT_FOUND) {
		*err = missing;
		return r;
	}
	r = put_name(store, id, manifest.digest[0] ? manifest.digest : NULL, name, NULL, err);
	return r < 0 ? r : db_commit(&tx, err);
}
