/* SPDX-License-Identifier: Apache-2.0 */
#include "store/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/db.h"
#include "store/layers_retire.h"
#include "store/store.h"

static int open_dir(int dirfd, const char *name)
{
	return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int random_name(char *out, size_t size, const char *prefix)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	snprintf(out, size, "%s%016llx", prefix, (unsigned long long)random);
	return 0;
}

int layer_draft_begin(struct store *store, struct layer_draft *out, struct err *err)
{
	struct layer_draft draft = LAYER_DRAFT_INIT;
	AUTO_CLOSE int dir = -1;
	AUTO_CLOSE int lock = -1;
	char unlocked[sizeof(draft.name) + sizeof(".new-")];
	int r = random_name(draft.name, sizeof(draft.name), "draft-");

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

/*
 * Rename and row come under one write lock, which store_sweep() and image_remove() take, too: none
 * of them can meet a layer that is there and not yet named.
 */
static int publish(struct store *store, const char *draft_name, const char *diff_id,
		   bool *was_there, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(store->db, &tx, err);

	if (r < 0)
		return r;
	*was_there = layer_exists(store, diff_id);
	if (!*was_there && renameat(store->tmp_fd, draft_name, store->layers_fd, diff_id) < 0)
		return err_sys(err, errno, "cannot move layer %.12s to %s/layers", diff_id,
			       store->root);
	r = db_run(store->db,
		   "INSERT INTO layer (diff_id, created_ns) VALUES (?1, ?2)"
		   " ON CONFLICT (diff_id) DO UPDATE SET created_ns = excluded.created_ns",
		   DB_ARGS(DB_TEXT(diff_id), DB_INT(clock_now_ns())), err);
	return r < 0 ? r : db_commit(&tx, err);
}

int layer_draft_commit(struct store *store, struct layer_draft *draft, const char *diff_id,
		       struct err *err)
{
	bool was_there = false;
	int r;

	/* All that was unpacked, not only the directory: one call for any number of files. */
	if (syncfs(draft->fd) < 0)
		return err_sys(err, errno, "cannot sync layer %.12s", diff_id);
	r = publish(store, draft->name, diff_id, &was_there, err);
	if (r < 0)
		return r;
	if (was_there) {
		layer_draft_abort(store, draft);
		return 0;
	}
	draft_close(draft);
	if (fsync(store->layers_fd) < 0)
		return err_sys(err, errno, "cannot sync %s/layers", store->root);
	return 0;
}

bool layer_exists(struct store *store, const char *diff_id)
{
	struct stat st;

	return fstatat(store->layers_fd, diff_id, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* --- retiring --- */

/* Move a layer out of sight if no row names it. *moved tells whether `trash` has it now. */
static int move_if_unnamed(struct store *store, const char *diff_id, const char *trash, bool *moved,
			   struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int64_t named = 0;
	int r = db_begin(store->db, &tx, err);

	if (r == 0)
		r = db_query_int(store->db, "SELECT 1 FROM layer WHERE diff_id = ?1",
				 DB_ARGS(DB_TEXT(diff_id)), 0, &named, err);
	if (r < 0)
		return r;
	*moved = false;
	if (!named) {
		if (renameat(store->layers_fd, diff_id, store->tmp_fd, trash) == 0)
			*moved = true;
		else if (errno != ENOENT)
			return err_sys(err, errno, "cannot remove %s/layers/%s", store->root,
				       diff_id);
	}
	return db_commit(&tx, err);
}

int layer_retire(struct store *store, const char *diff_id, struct err *err)
{
	char trash[48];
	bool moved = false;
	int r = random_name(trash, sizeof(trash), "trash-");

	if (r < 0)
		return err_sys(err, -r, "cannot remove layer %.12s", diff_id);
	r = move_if_unnamed(store, diff_id, trash, &moved, err);
	if (r < 0 || !moved)
		return r;
	r = fd_remove_tree(store->tmp_fd, trash, err);
	return r < 0 ? err_wrap(err, "layer %.12s", diff_id) : 0;
}
