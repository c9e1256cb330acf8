/* SPDX-License-Identifier: Apache-2.0 */
#include "store/images_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/cleanup.h"
#include "store/db.h"
#include "store/images_find.h"
#include "store/layers.h"
#include "store/store.h"

void image_manifest_release(struct image_manifest *manifest)
{
	cleanup_free(&manifest->media_type);
	for (size_t i = 0; i < manifest->nblobs; i++)
		free(manifest->blobs[i].media_type);
	cleanup_free(&manifest->blobs);
	*manifest = (struct image_manifest)IMAGE_MANIFEST_INIT;
}

/* --- writing --- */

/* Under the write lock, so that nobody can remove it after this look at it. */
static int put_blob(struct store *store, const char *digest, int64_t now_ns, struct err *err)
{
	struct stat st;

	if (fstatat(store->blobs_fd, digest, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return err_sys(err, errno, "cannot read blob sha256:%s", digest);
		err_set(err, ERR_NOT_FOUND, ENOENT, "blob sha256:%s is not in the store", digest);
		return err_hint(err, "it was removed meanwhile: pull again");
	}
	return db_run(store->db,
		      "INSERT INTO blob (digest, size, created_ns, named) VALUES (?1, ?2, ?3, 1)"
		      " ON CONFLICT (digest) DO UPDATE SET named = 1",
		      DB_ARGS(DB_TEXT(digest), DB_INT(st.st_size), DB_INT(now_ns)), err);
}

int image_manifest_put(struct store *store, const char *id, const struct image_manifest *manifest,
		       int64_t now_ns, struct err *err)
{
	int r = put_blob(store, manifest->digest, now_ns, err);

	if (r == 0)
		r = db_run(store->db,
			   "INSERT INTO manifest (digest, image_id, media_type, created_ns)"
			   " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
			   DB_ARGS(DB_TEXT(manifest->digest), DB_TEXT(id),
				   DB_TEXT(manifest->media_type), DB_INT(now_ns)),
			   err);
	for (size_t i = 0; r == 0 && i < manifest->nblobs; i++) {
		const struct image_blob *blob = &manifest->blobs[i];

		r = put_blob(store, blob->digest, now_ns, err);
		if (r == 0)
			r = db_run(store->db,
				   "INSERT INTO manifest_blob"
				   " (manifest, position, digest, size, media_type)"
				   " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
				   DB_ARGS(DB_TEXT(manifest->digest), DB_INT(i),
					   DB_TEXT(blob->digest), DB_INT(blob->size),
					   DB_TEXT(blob->media_type)),
				   err);
	}
	return r;
}

int image_manifest_prune(struct store *store, const char *id, struct err *err)
{
	return db_run(
		store->db,
		"DELETE FROM manifest WHERE image_id = ?1"
		" AND NOT EXISTS (SELECT 1 FROM image_name WHERE manifest = manifest.digest)"
		" AND digest != (SELECT digest FROM manifest AS other WHERE image_id = ?1"
		"  ORDER BY EXISTS (SELECT 1 FROM image_name WHERE manifest = other.digest) DESC,"
		"  created_ns DESC, digest LIMIT 1)",
		DB_ARGS(DB_TEXT(id)), err);
}

/* --- reading --- */

static int read_blobs(struct store *store, struct image_manifest *manifest, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db,
			   "SELECT digest, size, media_type FROM manifest_blob"
			   " WHERE manifest = ?1 ORDER BY position",
			   DB_ARGS(DB_TEXT(manifest->digest)), &stmt, err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		struct image_blob *grown =
			realloc(manifest->blobs, (manifest->nblobs + 1) * sizeof(*grown));
		struct image_blob blob = { .size = sqlite3_column_int64(stmt, 1) };

		if (!grown)
			return err_sys(err, ENOMEM, "cannot read manifest %.12s", manifest->digest);
		manifest->blobs = grown;
		r = db_column_copy(stmt, 0, blob.digest, sizeof(blob.digest), err);
		if (r == 0)
			r = db_column_strdup(stmt, 2, &blob.media_type, err);
		if (r < 0)
			return r;
		grown[manifest->nblobs++] = blob;
	}
	return r;
}

int image_manifest_get(struct store *store, const char *name_or_id, struct image_manifest *out,
		       struct err *err)
{
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	AUTO_FREE char *name = NULL;
	char id[DIGEST_HEX_LEN + 1];
	int r = image_find_id(store, name_or_id, id, &name, err);

	if (r == 0)
		r = db_prepare(
			store->db,
			"SELECT digest, media_type FROM manifest WHERE image_id = ?1"
			" ORDER BY digest IS (SELECT manifest FROM image_name WHERE name = ?2)"
			" DESC, created_ns DESC, digest LIMIT 1",
			DB_ARGS(DB_TEXT(id), DB_TEXT(name)), &stmt, err);
	if (r == 0)
		r = db_step(stmt, err);
	if (r == 0) {
		err_set(err, ERR_NOT_FOUND, ENOENT,
			"image %s has no manifest, as an earlier version of cman kept none",
			name_or_id);
		return err_hint(err, "pull it again");
	}
	if (r > 0)
		r = db_column_copy(stmt, 0, manifest.digest, sizeof(manifest.digest), err);
	if (r == 0)
		r = db_column_strdup(stmt, 1, &manifest.media_type, err);
	if (r == 0)
		r = read_blobs(store, &manifest, err);
	if (r < 0)
		return r;
	*out = manifest;
	manifest = (struct image_manifest)IMAGE_MANIFEST_INIT;
	return 0;
}

static bool has_blobs(struct store *store, const struct image_manifest *manifest)
{
	for (size_t i = 0; i < manifest->nblobs; i++)
		if (!blob_exists(store, manifest->blobs[i].digest))
			return false;
	return blob_exists(store, manifest->digest);
}

static bool has_layers(struct store *store, const struct image_record *image)
{
	for (size_t i = 0; i < image->nlayers; i++)
		if (!layer_exists(store, image->layers[i].tree))
			return false;
	return true;
}

int image_is_whole(struct store *store, const char *name_or_id, bool *whole, struct err *err)
{
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err missing = ERR_INIT;
	int r = image_find(store, name_or_id, &image, err);

	if (r < 0)
		return r;
	r = image_manifest_get(store, name_or_id, &manifest, &missing);
	if (r < 0 && missing.kind != ERR_NOT_FOUND) {
		*err = missing;
		return r;
	}
	*whole = r == 0 && has_layers(store, &image) && has_blobs(store, &manifest);
	return 0;
}
