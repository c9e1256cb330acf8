/* SPDX-License-Identifier: Apache-2.0 */
#include "store/images_flat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/db.h"
#include "store/flat.h"
#include "store/store.h"

int image_config_text(struct store *store, const char *id, char **out, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, "SELECT config FROM image WHERE id = ?1",
			   DB_ARGS(DB_TEXT(id)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "no such image: %.12s", id);
	return db_column_strdup(stmt, 0, out, err);
}

int image_flat_get(struct store *store, const char *id, char **out, size_t *len, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	const void *bytes;
	char *copy;
	int n, r = db_prepare(store->db, "SELECT bytes FROM image_flat WHERE image_id = ?1",
			      DB_ARGS(DB_TEXT(id)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r <= 0)
		return r;
	bytes = sqlite3_column_blob(stmt, 0);
	n = sqlite3_column_bytes(stmt, 0);
	if (n < FLAT_MAGIC_LEN || !bytes || memcmp(bytes, FLAT_MAGIC, FLAT_MAGIC_LEN) != 0)
		return 0;
	copy = malloc((size_t)n);
	if (!copy)
		return err_sys(err, ENOMEM, "cannot read image %.12s", id);
	memcpy(copy, bytes, (size_t)n);
	*out = copy;
	*len = (size_t)n;
	return 0;
}

/* By the ID, so that one that was removed meanwhile is left alone. */
int image_flat_put(struct store *store, const char *id, const char *form, size_t len,
		   struct err *err)
{
	return db_run(store->db,
		      "INSERT INTO image_flat (image_id, bytes)"
		      " SELECT id, ?2 FROM image WHERE id = ?1"
		      " ON CONFLICT (image_id) DO UPDATE SET bytes = excluded.bytes",
		      DB_ARGS(DB_TEXT(id), DB_BLOB(form, len)), err);
}

int image_flat_add(struct store *store, const char *id, const char *form, size_t len, bool *same,
		   struct err *err)
{
	AUTO_FREE char *here = NULL;
	size_t here_len = 0;
	int r = image_flat_get(store, id, &here, &here_len, err);

	if (r < 0)
		return r;
	*same = !here || (here_len == len && memcmp(here, form, len) == 0);
	return here ? 0 : image_flat_put(store, id, form, len, err);
}
