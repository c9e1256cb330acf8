/* SPDX-License-Identifier: Apache-2.0 */
#include "store/collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/blobs.h"
#include "store/db.h"
#include "store/draft_name.h"
#include "store/prefix.h"
#include "store/store.h"

#define LAYER_UNNAMED "NOT EXISTS (SELECT 1 FROM image_layer WHERE image_layer.tree = layer.tree)"
#define BLOB_UNNAMED                                                                        \
	"NOT EXISTS (SELECT 1 FROM manifest_blob WHERE manifest_blob.digest = blob.digest)" \
	" AND NOT EXISTS (SELECT 1 FROM manifest WHERE manifest.digest = blob.digest)"

static const struct kind {
	const char *directory;
	const char *list;
	const char *drop;
	const char *find;
} kinds[] = {
	[COLLECT_LAYERS] = {
		.directory = "layers",
		.list = "SELECT tree, ifnull(size, 0) FROM layer"
			" WHERE (named OR created_ns < ?1) AND " LAYER_UNNAMED,
		.drop = "DELETE FROM layer WHERE tree = ?1 AND " LAYER_UNNAMED,
		.find = "SELECT 1 FROM layer WHERE tree = ?1",
	},
	[COLLECT_BLOBS] = {
		.directory = "blobs/sha256",
		.list = "SELECT digest, size FROM blob"
			" WHERE (named OR created_ns < ?1) AND " BLOB_UNNAMED,
		.drop = "DELETE FROM blob WHERE digest = ?1 AND " BLOB_UNNAMED,
		.find = "SELECT 1 FROM blob WHERE digest = ?1",
	},
};

static int directory_fd(const struct store *store, enum collect_kind kind)
{
	return kind == COLLECT_LAYERS ? store->layers_fd : store->blobs_fd;
}

int collect_file(struct store *store, enum collect_kind kind, const char *digest, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	char trash[48];
	int64_t named = 0;
	int r = draft_name(trash, sizeof(trash), TRASH_PREFIX);

	if (r < 0)
		return err_sys(err, -r, "cannot remove %s/%s", kinds[kind].directory, digest);
	r = db_begin(store->db, &tx, err);
	if (r == 0)
		r = db_query_int(store->db, kinds[kind].find, DB_ARGS(DB_TEXT(digest)), 0, &named,
				 err);
	if (r < 0 || named)
		return r;
	if (renameat(directory_fd(store, kind), digest, store->tmp_fd, trash) < 0 &&
	    errno != ENOENT)
		return err_sys(err, errno, "cannot remove %s/%s/%s", store->root,
			       kinds[kind].directory, digest);
	return db_commit(&tx, err);
}

int collect_trash(struct store *store, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(store->tmp_fd, ".");
	const struct dirent *entry;
	struct err later = ERR_INIT;
	int r = 0;

	if (!dir)
		return err_sys(err, errno, "cannot read %s/tmp", store->root);
	/* One that somebody has mounted something in is not in the way of the others. */
	while ((entry = fd_readdir(dir)))
		if (begins_with(entry->d_name, TRASH_PREFIX) &&
		    fd_remove_tree(store->tmp_fd, entry->d_name, r < 0 ? &later : err) < 0)
			r = -1;
	if (r < 0)
		r = err_code(err);
	else if (errno)
		return err_sys(err, errno, "cannot read %s/tmp", store->root);
	return r < 0 ? err_wrap(err, "%s/tmp", store->root) : 0;
}

/* --- rows --- */

struct unnamed {
	char digest[DIGEST_HEX_LEN + 1];
	int64_t bytes;
};

/* Read to the end before anything is deleted. */
static int list_unnamed(struct store *store, enum collect_kind kind, int64_t before_ns,
			struct unnamed **out, size_t *count, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, kinds[kind].list, DB_ARGS(DB_INT(before_ns)), &stmt, err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		struct unnamed *grown = realloc(*out, (*count + 1) * sizeof(**out));

		if (!grown)
			return err_sys(err, ENOMEM, "cannot look for what no image names");
		*out = grown;
		r = db_column_copy(stmt, 0, grown[*count].digest, sizeof(grown->digest), err);
		if (r < 0)
			return r;
		/* In a damaged database: it might lead anywhere. fsck tells. */
		if (!prefix_is_one(grown[*count].digest, DIGEST_HEX_LEN))
			continue;
		grown[(*count)++].bytes = sqlite3_column_int64(stmt, 1);
	}
	return r;
}

int collect_unnamed(struct store *store, enum collect_kind kind, int64_t before_ns, int64_t *bytes,
		    struct err *err)
{
	AUTO_FREE struct unnamed *list = NULL;
	size_t count = 0;
	int r = list_unnamed(store, kind, before_ns, &list, &count, err);

	/* Else a power cut might bring back an image's rows without what they name. */
	if (r == 0 && count > 0)
		r = db_sync(store->db, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = db_run(store->db, kinds[kind].drop, DB_ARGS(DB_TEXT(list[i].digest)), err);
		if (r == 0)
			r = collect_file(store, kind, list[i].digest, err);
		if (r == 0 && bytes)
			*bytes += list[i].bytes;
	}
	return r;
}
