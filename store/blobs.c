/* SPDX-License-Identifier: Apache-2.0 */
#include "store/blobs.h"

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
#include "store/base/sha256.h"
#include "store/db.h"
#include "store/draft_name.h"
#include "store/partials.h"
#include "store/store.h"

/* --- drafts --- */

int blob_draft_begin(struct store *store, struct blob_draft *out, struct err *err)
{
	struct blob_draft draft = BLOB_DRAFT_INIT;
	AUTO_CLOSE int fd = -1;
	char unlocked[sizeof(draft.name) + sizeof(".new-")];
	int r = draft_name(draft.name, sizeof(draft.name), "blob-");

	/* Renamed once it is locked: a sweeper never meets a draft that is only about to be. */
	snprintf(unlocked, sizeof(unlocked), ".new-%s", draft.name);
	if (r == 0)
		fd = openat(store->tmp_fd, unlocked, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, r < 0 ? -r : errno, "cannot create %s/tmp/%s", store->root,
			       unlocked);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 ||
	    renameat(store->tmp_fd, unlocked, store->tmp_fd, draft.name) < 0) {
		err_sys(err, errno, "cannot prepare %s/tmp/%s", store->root, draft.name);
		(void)unlinkat(store->tmp_fd, unlocked, 0);
		return err_code(err);
	}
	draft.fd = STEAL_FD(fd);
	*out = draft;
	return 0;
}

void blob_draft_abort(struct store *store, struct blob_draft *draft)
{
	/* What cannot be removed now, a later sweep tries again. */
	if (draft->fd >= 0)
		(void)unlinkat(store->tmp_fd, draft->name, 0);
	cleanup_close(&draft->fd);
	*draft = (struct blob_draft)BLOB_DRAFT_INIT;
}

/*
 * Rename and row come under one write lock, which whoever removes blobs takes, too: none of them
 * can meet a blob that is there and not yet named.
 */
static int publish(struct store *store, const char *name, int64_t size, const char *digest,
		   bool *was_there, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(store->db, &tx, err);

	if (r < 0)
		return r;
	*was_there = blob_exists(store, digest);
	if (!*was_there && renameat(store->tmp_fd, name, store->blobs_fd, digest) < 0)
		return err_sys(err, errno, "cannot move blob %.12s to %s/blobs", digest,
			       store->root);
	r = db_run(store->db,
		   "INSERT INTO blob (digest, size, created_ns, named) VALUES (?1, ?2, ?3, 0)"
		   " ON CONFLICT (digest) DO UPDATE SET created_ns = excluded.created_ns",
		   DB_ARGS(DB_TEXT(digest), DB_INT(size), DB_INT(clock_now_ns())), err);
	return r < 0 ? r : db_commit(&tx, err);
}

int blob_draft_commit(struct store *store, struct blob_draft *draft, const char *digest,
		      struct err *err)
{
	bool was_there = false;
	struct stat st;
	int r;

	if (fstat(draft->fd, &st) < 0)
		return err_sys(err, errno, "cannot read blob %.12s", digest);
	r = publish(store, draft->name, st.st_size, digest, &was_there, err);
	if (r < 0)
		return r;
	if (!was_there)
		cleanup_close(&draft->fd);
	blob_draft_abort(store, draft);
	return 0;
}

int blob_adopt_partial(struct store *store, struct partial *partial, const char *digest,
		       struct err *err)
{
	bool was_there = false;
	struct stat st;
	int r;

	if (fstat(partial->fd, &st) < 0)
		return err_sys(err, errno, "cannot read blob %.12s", digest);
	/* First, as another download may begin under the name once it is free. */
	r = partial_set_validator(store, partial, NULL, err);
	if (r == 0)
		r = publish(store, partial->name, st.st_size, digest, &was_there, err);
	if (r < 0)
		return r;
	if (was_there)
		return partial_discard(store, partial, err);
	partial_close(partial);
	return 0;
}

int blob_put(struct store *store, const void *data, size_t len, char digest[DIGEST_HEX_LEN + 1],
	     struct err *err)
{
	struct blob_draft draft = BLOB_DRAFT_INIT;
	char hex[DIGEST_HEX_LEN + 1];
	int r = sha256_hex(data, len, hex);

	if (r < 0)
		return err_sys(err, -r, "cannot compute a digest");
	if (!blob_exists(store, hex)) {
		r = blob_draft_begin(store, &draft, err);
		if (r < 0)
			return r;
		r = fd_write_all(draft.fd, data, len);
		if (r == 0 && fdatasync(draft.fd) < 0)
			r = -errno;
		if (r < 0)
			r = err_sys(err, -r, "cannot write blob %.12s", hex);
		else
			r = blob_draft_commit(store, &draft, hex, err);
		if (r < 0) {
			blob_draft_abort(store, &draft);
			return r;
		}
	}
	memcpy(digest, hex, sizeof(hex));
	return 0;
}

/* --- reading --- */

int blob_open(struct store *store, const char *digest, int *fd, int64_t *size, struct err *err)
{
	AUTO_CLOSE int opened =
		openat(store->blobs_fd, digest, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (opened < 0 && errno == ENOENT) {
		err_set(err, ERR_NOT_FOUND, ENOENT, "blob sha256:%s is not in the store", digest);
		return err_hint(err, "pull its image again; cman fsck tells which that is");
	}
	if (opened < 0 || fstat(opened, &st) < 0)
		return err_sys(err, errno, "cannot open blob sha256:%s", digest);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CORRUPT, EBADMSG, "blob sha256:%s is no regular file",
			       digest);
	*fd = STEAL_FD(opened);
	*size = st.st_size;
	return 0;
}

bool blob_exists(struct store *store, const char *digest)
{
	struct stat st;

	return fstatat(store->blobs_fd, digest, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode);
}
