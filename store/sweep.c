/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/collect.h"
#include "store/db.h"
#include "store/draft_name.h"
#include "store/hold.h"
#include "store/partials.h"
#include "store/store.h"
#include "store/volumes.h"

#define KEPT_DOWNLOAD_NS (24 * 3600 * NS_PER_S)

static int64_t age_ns(struct timespec since)
{
	return clock_now_ns() - clock_ns(since);
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name), tail = strlen(suffix);

	return len >= tail && strcmp(name + len - tail, suffix) == 0;
}

/* --- tmp/ --- */

/*
 * A draft, a directory or a file, has its name as long as its maker holds the lock, whatever its
 * age.
 */
static int sweep_draft(struct store *store, const char *name, struct err *err)
{
	AUTO_CLOSE int fd =
		openat(store->tmp_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ?
			       0 :
			       err_sys(err, errno, "cannot open %s/tmp/%s", store->root, name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	return fd_remove_tree(store->tmp_fd, name, err);
}

/* One that was killed before it had the lock: empty. */
static int sweep_new_draft(struct store *store, const char *name, struct err *err)
{
	struct stat st;

	if (fstatat(store->tmp_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ?
			       0 :
			       err_sys(err, errno, "cannot read %s/tmp/%s", store->root, name);
	return age_ns(st.st_ctim) < SWEEP_YOUNG_NS ? 0 : fd_remove_tree(store->tmp_fd, name, err);
}

static int sweep_expired_file(struct store *store, const char *name, struct err *err)
{
	AUTO_CLOSE int fd = openat(store->tmp_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ?
			       0 :
			       err_sys(err, errno, "cannot open %s/tmp/%s", store->root, name);
	if (age_ns(st.st_mtim) < KEPT_DOWNLOAD_NS || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	if (unlinkat(store->tmp_fd, name, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove %s/tmp/%s", store->root, name);
	return 0;
}

/* A sidecar is as old as the first byte of its download, which may go on for long. */
static int sweep_sidecar(struct store *store, const char *name, struct err *err)
{
	char partial[NAME_MAX + 1];
	struct stat st;

	snprintf(partial, sizeof(partial), "%.*s",
		 (int)(strlen(name) - strlen(PARTIAL_SIDECAR_SUFFIX)), name);
	if (fstatat(store->tmp_fd, partial, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return sweep_expired_file(store, name, err);
}

static int sweep_tmp_entry(struct store *store, const char *name, struct err *err)
{
	if (begins_with(name, ".new-draft-") || begins_with(name, ".new-blob-"))
		return sweep_new_draft(store, name, err);
	if (ends_with(name, PARTIAL_SIDECAR_SUFFIX))
		return sweep_sidecar(store, name, err);
	/* ".new-": what fd_replace_file() was about to rename. */
	if (begins_with(name, "partial-") || begins_with(name, ".new-"))
		return sweep_expired_file(store, name, err);
	if (begins_with(name, "draft-") || begins_with(name, "blob-"))
		return sweep_draft(store, name, err);
	if (begins_with(name, TRASH_PREFIX) && fd_remove_tree(store->tmp_fd, name, err) < 0)
		return err_wrap(err, "%s", name);
	return 0;
}

/* --- the directory of run-time files, which is not on a tmpfs below a root of one's own --- */

/* What fd_replace_file() was about to rename: a matter of milliseconds. */
static int sweep_run_entry(struct store *store, const char *name, struct err *err)
{
	struct stat st;

	if (!begins_with(name, ".new-"))
		return 0;
	if (fstatat(store->run_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "cannot read %s", name);
	if (age_ns(st.st_ctim) < SWEEP_YOUNG_NS || unlinkat(store->run_fd, name, 0) == 0 ||
	    errno == ENOENT)
		return 0;
	return err_sys(err, errno, "cannot remove %s", name);
}

/* --- layers/, blobs/ and containers/ --- */

bool sweep_is_young(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	       age_ns(st.st_ctim) < SWEEP_YOUNG_NS;
}

static int sweep_layer_entry(struct store *store, const char *name, struct err *err)
{
	return sweep_is_young(store->layers_fd, name) ?
		       0 :
		       collect_file(store, COLLECT_LAYERS, name, err);
}

static int sweep_blob_entry(struct store *store, const char *name, struct err *err)
{
	return sweep_is_young(store->blobs_fd, name) ?
		       0 :
		       collect_file(store, COLLECT_BLOBS, name, err);
}

static int sweep_container_entry(struct store *store, const char *name, struct err *err)
{
	int64_t named = 0;
	int r = db_query_int(store->db, "SELECT 1 FROM container WHERE id = ?1",
			     DB_ARGS(DB_TEXT(name)), 0, &named, err);

	if (r < 0 || named || sweep_is_young(store->containers_fd, name))
		return r;
	return fd_remove_tree(store->containers_fd, name, err);
}

/* --- all --- */

typedef int sweep_entry(struct store *store, const char *name, struct err *err);

/* The first failure is kept and told at the end: the rest is swept all the same. */
static int sweep_below(struct store *store, int dirfd, const char *parent, const char *name,
		       sweep_entry *sweep, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(dirfd, ".");
	const struct dirent *entry;
	struct err later = ERR_INIT;
	int first = 0;

	if (!dir)
		return err_sys(err, errno, "cannot read %s%s", parent, name);
	while ((entry = fd_readdir(dir))) {
		int r = sweep(store, entry->d_name, first < 0 ? &later : err);

		if (r < 0 && first == 0)
			first = err_wrap(err, "cannot sweep %s%s", parent, name);
	}
	if (first == 0 && errno)
		return err_sys(err, errno, "cannot read %s%s", parent, name);
	return first;
}

static int sweep_directory(struct store *store, int dirfd, const char *name, sweep_entry *sweep,
			   struct err *err)
{
	return sweep_below(store, dirfd, store->root, name, sweep, err);
}

/*
 * What no image names, and what has no row, unless somebody is making an image: it may be about to
 * get its name.
 */
static int sweep_unnamed(struct store *store, struct err *err)
{
	const int64_t before_ns = clock_now_ns() - KEPT_DOWNLOAD_NS;
	AUTO_CLOSE int alone = -1;
	int r = store_hold_alone(store, &alone, err);

	if (r == -EAGAIN) {
		*err = (struct err)ERR_INIT;
		return 0;
	}
	if (r == 0)
		r = collect_unnamed(store, COLLECT_LAYERS, before_ns, NULL, err);
	if (r == 0)
		r = collect_unnamed(store, COLLECT_BLOBS, before_ns, NULL, err);
	if (r == 0)
		r = sweep_directory(store, store->layers_fd, "/layers", sweep_layer_entry, err);
	if (r == 0)
		r = sweep_directory(store, store->blobs_fd, "/blobs/sha256", sweep_blob_entry, err);
	return r;
}

int store_sweep(struct store *store, struct err *err)
{
	struct err later = ERR_INIT;
	/* This first: what it takes away is removed with the rest of tmp/, when nobody waits. */
	int first = sweep_unnamed(store, err);
	int r = sweep_directory(store, store->tmp_fd, "/tmp", sweep_tmp_entry,
				first < 0 ? &later : err);

	first = first < 0 ? first : r;
	r = sweep_below(store, store->run_fd, store->run, "", sweep_run_entry,
			first < 0 ? &later : err);
	first = first < 0 ? first : r;
	r = sweep_directory(store, store->containers_fd, "/containers", sweep_container_entry,
			    first < 0 ? &later : err);
	first = first < 0 ? first : r;
	r = volumes_sweep(store, first < 0 ? &later : err);
	first = first < 0 ? first : r;
	r = store_maintain(store, first < 0 ? &later : err);
	return first < 0 ? first : r;
}
