/* SPDX-License-Identifier: Apache-2.0 */
#include "store/volumes_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/db.h"
#include "store/draft_name.h"
#include "store/store.h"
#include "store/volumes.h"

#define GONE ".gone-"
#define GONE_DIGITS 16

int volumes_open(struct store *store, int *fd, struct err *err)
{
	int r = fd_ensure_dir(store->root_fd, VOLUMES_DIR, 0700, fd, err);

	return r < 0 ? err_wrap(err, "%s", store->root) : 0;
}

int volume_data_path(const struct store *store, const char *name, char **out, struct err *err)
{
	if (asprintf(out, "%s/" VOLUMES_DIR "/%s/" VOLUME_DATA, store->root, name) < 0) {
		*out = NULL;
		return err_sys(err, ENOMEM, "cannot use volume %s", name);
	}
	return 0;
}

int volume_dir_open(struct store *store, const char *name, int *dir_fd, struct err *err)
{
	AUTO_CLOSE int volumes_fd = -1;
	int fd, r = volumes_open(store, &volumes_fd, err);

	if (r < 0)
		return r;
	fd = openat(volumes_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open %s/" VOLUMES_DIR "/%s", store->root, name);
	*dir_fd = fd;
	return 0;
}

/*
 * Nobody but root comes to volumes/<name>, whatever its owner; containers come to _data by a mount,
 * and users who are not root have to get through that.
 */
int volume_dir_make(struct store *store, int volumes_fd, const char *name, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	AUTO_CLOSE int data = -1;
	int r = fd_ensure_dir(volumes_fd, name, 0700, &dir, err);

	if (r == 0)
		r = fd_ensure_dir(dir, VOLUME_DATA, 0755, &data, err);
	return r < 0 ? err_wrap(err, "%s/" VOLUMES_DIR, store->root) : 0;
}

int volume_dir_take_away(struct store *store, int volumes_fd, const char *name, char **gone,
			 struct err *err)
{
	char prefix[sizeof(GONE) + GONE_DIGITS];
	AUTO_FREE char *hidden = NULL;
	int r = draft_name(prefix, sizeof(prefix), GONE);

	if (r < 0)
		return err_sys(err, -r, "cannot remove volume %s", name);
	if (asprintf(&hidden, "%s-%s", prefix, name) < 0) {
		hidden = NULL;
		return err_sys(err, ENOMEM, "cannot remove volume %s", name);
	}
	if (renameat(volumes_fd, name, volumes_fd, hidden) < 0)
		return errno == ENOENT ? 0 :
					 err_sys(err, errno, "cannot rename %s/" VOLUMES_DIR "/%s",
						 store->root, name);
	*gone = STEAL_PTR(hidden);
	return 0;
}

const char *volume_gone_name(const char *entry)
{
	const size_t before = strlen(GONE) + GONE_DIGITS;

	if (!begins_with(entry, GONE) || strlen(entry) <= before + 1 || entry[before] != '-')
		return NULL;
	return entry + before + 1;
}

/* --- what interrupted commands left --- */

/* 1 or 0 for the directory `name`, or -errno; the entry `but` does not count. */
static int is_empty_but(int parent, const char *name, const char *but)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(parent, name);
	const struct dirent *entry;
	int r = 1;

	if (!dir)
		return -errno;
	while (r > 0 && (entry = fd_readdir(dir)))
		r = strcmp(entry->d_name, but) == 0;
	return r > 0 && errno ? -errno : r;
}

int volume_dir_is_empty(int volumes_fd, const char *name)
{
	AUTO_CLOSE int dir =
		openat(volumes_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (dir < 0)
		return errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	r = is_empty_but(volumes_fd, name, VOLUME_DATA);
	if (r > 0)
		r = fd_is_empty(dir, VOLUME_DATA);
	return r == -ENOENT ? 1 : r;
}

int volume_dir_put_back(struct store *store, int volumes_fd, const char *name, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;

	if (faccessat(volumes_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	dir = fd_opendir(volumes_fd, ".");
	if (!dir)
		return err_sys(err, errno, "cannot read %s/" VOLUMES_DIR, store->root);
	while ((entry = fd_readdir(dir))) {
		const char *was = volume_gone_name(entry->d_name);

		if (was && strcmp(was, name) == 0 &&
		    renameat(volumes_fd, entry->d_name, volumes_fd, name) == 0)
			return 0;
	}
	return errno ? err_sys(err, errno, "cannot read %s/" VOLUMES_DIR, store->root) : 0;
}

/* The write lock is held. */
static int is_named(struct store *store, const char *name, bool *out, struct err *err)
{
	int64_t found = 0;
	int r = db_query_int(store->db, "SELECT 1 FROM volume WHERE name = ?1",
			     DB_ARGS(DB_TEXT(name)), 0, &found, err);

	if (r == 0)
		*out = found;
	return r;
}

/* Its removal was not committed: put it back. Else it goes. */
static int sweep_gone(struct store *store, int volumes_fd, const char *entry, const char *name,
		      struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	bool named = false;
	int r = db_begin(store->db, &tx, err);

	if (r == 0)
		r = is_named(store, name, &named, err);
	if (r < 0)
		return r;
	if (named && faccessat(volumes_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT) {
		if (renameat(volumes_fd, entry, volumes_fd, name) < 0 && errno != ENOENT)
			return err_sys(err, errno, "cannot put back %s", name);
		return 0;
	}
	db_release_tx(&tx);
	tx = NULL;
	return fd_remove_tree(volumes_fd, entry, err);
}

static int sweep_empty(struct store *store, int volumes_fd, const char *name, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	bool named = false;
	int r = is_named(store, name, &named, err);

	if (r < 0 || named)
		return r;
	r = db_begin(store->db, &tx, err);
	if (r == 0)
		r = is_named(store, name, &named, err);
	if (r < 0 || named || volume_dir_is_empty(volumes_fd, name) <= 0)
		return r;
	return fd_remove_tree(volumes_fd, name, err);
}

int volumes_sweep(struct store *store, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(store->root_fd, VOLUMES_DIR);
	struct err later = ERR_INIT;
	const struct dirent *entry;
	int first = 0;

	if (!dir)
		return errno == ENOENT ?
			       0 :
			       err_sys(err, errno, "cannot read %s/" VOLUMES_DIR, store->root);
	while ((entry = fd_readdir(dir))) {
		const char *name = volume_gone_name(entry->d_name);
		struct err *one = first < 0 ? &later : err;
		int r = 0;

		if (name)
			r = sweep_gone(store, dirfd(dir), entry->d_name, name, one);
		else if (entry->d_name[0] != '.')
			r = sweep_empty(store, dirfd(dir), entry->d_name, one);
		if (r < 0 && first == 0)
			first = err_wrap(err, "cannot sweep %s/" VOLUMES_DIR, store->root);
	}
	if (first == 0 && errno)
		return err_sys(err, errno, "cannot read %s/" VOLUMES_DIR, store->root);
	return first;
}
