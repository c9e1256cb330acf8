/* SPDX-License-Identifier: Apache-2.0 */
#include "store/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/db.h"
#include "store/draft_name.h"
#include "store/store.h"

static int open_dir(int dirfd, const char *name)
{
	return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int layer_draft_begin(struct store *store, struct layer_draft *out, struct err *err)
{
	struct layer_draft draft = LAYER_DRAFT_INIT;
	AUTO_CLOSE int dir = -1;
	AUTO_CLOSE int lock = -1;
	char unlocked[sizeof(draft.name) + sizeof(".new-")];
	int r = draft_name(draft.name, sizeof(draft.name), "draft-");

	/* Renamed once it is locked: a sweeper never meets a draft that is only about to be. */
	snprintf(unlocked, sizeof(unlocked), ".new-%s", draft.name);
	if (r < 0 || mkdirat(store->tmp_fd, unlocked, 0700) < 0)
		return err_sys(err, r < 0 ? -r : errno, "cannot create %s/tmp/%s", store->root,
			       unlocked);
	dir = open_dir(store->tmp_fd, unlocked);
	/* Opened apart: a stage that inherits the directory must not keep the lock with it. */
	lock = open_dir(store->tmp_fd, unlocked);
	if (dir < 0 || lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0 || fchmod(dir, 0755) < 0 ||
	    renameat(store->tmp_fd, unlocked, store->tmp_fd, draft.name) < 0) {
		err_sys(err, errno, "cannot prepare %s/tmp/%s", store->root, draft.name);
		(void)unlinkat(store->tmp_fd, unlocked, AT_REMOVEDIR);
		return err_code(err);
	}
	draft.fd = STEAL_FD(dir);
	draft.lock_fd = STEAL_FD(lock);
	*out = draft;
	return 0;
}

static void draft_close(struct layer_draft *draft)
{
	cleanup_close(&draft->fd);
	cleanup_close(&draft->lock_fd);
	*draft = (struct layer_draft)LAYER_DRAFT_INIT;
}

void layer_draft_abort(struct store *store, struct layer_draft *draft)
{
	struct err ignored = ERR_INIT;

	/* What cannot be removed now, a later sweep tries again. */
	if (draft->fd >= 0)
		(void)fd_remove_tree(store->tmp_fd, draft->name, &ignored);
	draft_close(draft);
}

void layer_draft_leave(struct store *store, struct layer_draft *draft)
{
	char trash[48];

	if (draft->fd >= 0 && (draft_name(trash, sizeof(trash), TRASH_PREFIX) < 0 ||
			       renameat(store->tmp_fd, draft->name, store->tmp_fd, trash) < 0))
		layer_draft_abort(store, draft);
	draft_close(draft);
}

/*
 * Rename and row come under one write lock, which whoever removes layers takes, too: none of them
 * can meet a layer that is there and not yet named.
 */
static int publish(struct store *store, const struct layer_draft *draft, const char *tree,
		   const char *diff_id, bool *was_there, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(store->db, &tx, err);

	if (r < 0)
		return r;
	*was_there = layer_exists(store, tree);
	if (!*was_there && renameat(store->tmp_fd, draft->name, store->layers_fd, tree) < 0)
		return err_sys(err, errno, "cannot move layer %.12s to %s/layers", tree,
			       store->root);
	r = db_run(store->db,
		   "INSERT INTO layer (tree, diff_id, created_ns, size)"
		   " VALUES (?1, ?2, ?3, nullif(?4, -1))"
		   " ON CONFLICT (tree) DO UPDATE SET created_ns = excluded.created_ns,"
		   " size = ifnull(layer.size, excluded.size)",
		   DB_ARGS(DB_TEXT(tree), DB_TEXT(diff_id), DB_INT(clock_now_ns()),
			   DB_INT(draft->size)),
		   err);
	return r < 0 ? r : db_commit(&tx, err);
}

int layer_draft_commit(struct store *store, struct layer_draft *draft, const char *tree,
		       const char *diff_id, struct err *err)
{
	bool was_there = false;
	int r = publish(store, draft, tree, diff_id, &was_there, err);

	if (r < 0)
		return r;
	if (was_there)
		layer_draft_abort(store, draft);
	else
		draft_close(draft);
	return 0;
}

bool layer_exists(struct store *store, const char *tree)
{
	struct stat st;

	return fstatat(store->layers_fd, tree, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

bool layer_find_tree(struct store *store, const char *diff_id, const char *stack_id,
		     char tree[DIGEST_HEX_LEN + 1])
{
	const char *found = layer_exists(store, diff_id) ? diff_id : stack_id;

	if (found == stack_id && !layer_exists(store, stack_id))
		return false;
	snprintf(tree, DIGEST_HEX_LEN + 1, "%s", found);
	return true;
}

int layer_is_of_blob(struct store *store, const char *diff_id, const char *blob, bool *known,
		     struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db,
			   "SELECT 1 FROM manifest_blob"
			   " JOIN manifest ON manifest.digest = manifest_blob.manifest"
			   " JOIN image_layer ON image_layer.image_id = manifest.image_id"
			   "  AND image_layer.position + 1 = manifest_blob.position"
			   " JOIN layer USING (tree)"
			   " WHERE manifest_blob.digest = ?1 AND layer.diff_id = ?2 LIMIT 1",
			   DB_ARGS(DB_TEXT(blob), DB_TEXT(diff_id)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	/* What is not compressed is what it unpacks to. */
	*known = r > 0 || strcmp(diff_id, blob) == 0;
	return 0;
}
