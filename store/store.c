/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/utf8.h"
#include "store/db.h"
#include "store/db_memory.h"
#include "store/expected.h"
#include "store/reserve.h"
#include "store/schema.h"

#define DEFAULT_RUN "/run/cman"
/* SQLite takes paths of 512 bytes, and the longest here ends with containers/ID/log.db-journal. */
#define ROOT_MAX 400
#define RESERVE_BYTES (128 << 10) /* dozens of records in the write-ahead log */

/*
 * 128 pages of 1 KiB, the writes of some 16 containers. Who opens the database next reads all of
 * it first, which was measured to take 0.3 us a page.
 */
#define MAINTAIN_WAL_BYTES (128 << 10)

void store_close(struct store *store)
{
	expected_forget(store);
	db_close(store->db);
	cleanup_free(&store->root);
	cleanup_free(&store->run);
	cleanup_close(&store->root_fd);
	cleanup_close(&store->run_fd);
	cleanup_close(&store->containers_fd);
	cleanup_close(&store->layers_fd);
	cleanup_close(&store->blobs_fd);
	cleanup_close(&store->tmp_fd);
	*store = (struct store)STORE_INIT;
}

/* Paths are told to other processes and the kernel, whose working directory may be another one. */
static int make_absolute(const char *path, char **out, struct err *err)
{
	char *absolute = path[0] == '/' ? strdup(path) : realpath(path, NULL);

	if (!absolute)
		return err_sys(err, errno, "cannot use %s", path);
	for (size_t len = strlen(absolute); len > 1 && absolute[len - 1] == '/'; len--)
		absolute[len - 1] = '\0';
	*out = absolute;
	return 0;
}

/* It is told to SQLite, and in specifications, which are JSON. */
static int check_path(const char *root, struct err *err)
{
	size_t len = strlen(root);

	if (len > ROOT_MAX) {
		err_set(err, ERR_INVALID, ENAMETOOLONG,
			"the path of the root directory has %zu bytes, and may have %d", len,
			ROOT_MAX);
		return err_hint(err, "mount it in another place, too: mount --bind");
	}
	if (!utf8_is_valid(root))
		return err_set(err, ERR_INVALID, EILSEQ,
			       "the path of the root directory is not UTF-8: %s", root);
	return 0;
}

/* Who may write here can have root do anything: what is run, and with which powers, is read. */
static int check_owner(int fd, const char *path, struct err *err)
{
	struct stat st;
	bool group;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot examine %s", path);
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		err_set(err, ERR_INVALID, EINVAL,
			"%s belongs to user %u, who could do all that cman may by what is there",
			path, st.st_uid);
		return err_hint(err, "take another directory, or make it yours: chown %u:%u",
				geteuid(), getegid());
	}
	group = st.st_gid != 0 && (geteuid() == 0 || st.st_gid != getegid());
	if (!(st.st_mode & (S_IWOTH | (group ? S_IWGRP : 0))))
		return 0;
	err_set(err, ERR_INVALID, EINVAL,
		"others may write to %s, and so do all that cman may (mode %04o)", path,
		st.st_mode & 07777);
	return err_hint(err, "take another directory, or if nobody has: chmod go-w");
}

static int ensure_below(const struct store *store, const char *name, int *out, struct err *err)
{
	char path[ROOT_MAX + 16];
	int r = fd_ensure_dir(store->root_fd, name, 0700, out, err);

	if (r < 0)
		return err_wrap(err, "%s", store->root);
	snprintf(path, sizeof(path), "%s/%s", store->root, name);
	return check_owner(*out, path, err);
}

/*
 * On ext4 the directories in this one have nothing to do with each other, and are best put into
 * different groups of the disk: where a layer was removed within the last minutes, making a file
 * costs a look at every inode that was freed there. Elsewhere, and without the right to, nothing.
 * ioctl_iflags(2).
 */
static void spread_subdirectories(int dir_fd)
{
	int flags;

	if (ioctl(dir_fd, FS_IOC_GETFLAGS, &flags) == 0 && !(flags & FS_TOPDIR_FL)) {
		flags |= FS_TOPDIR_FL;
		(void)ioctl(dir_fd, FS_IOC_SETFLAGS, &flags);
	}
}

/* Two levels, as image-spec has them; the upper one is of no use by itself. */
static int open_blobs(struct store *store, struct err *err)
{
	AUTO_CLOSE int blobs = -1;
	int r;

	store->blobs_fd =
		fd_open_beneath(store->root_fd, "blobs/sha256", O_RDONLY | O_DIRECTORY, 0);
	if (store->blobs_fd >= 0)
		return 0;
	r = ensure_below(store, "blobs", &blobs, err);
	if (r < 0)
		return r;
	r = fd_ensure_dir(blobs, "sha256", 0700, &store->blobs_fd, err);
	return r < 0 ? err_wrap(err, "%s/blobs", store->root) : 0;
}

static int open_directories(const char *root, struct store *store, struct err *err)
{
	const char *given = root ? root : STORE_DEFAULT_ROOT;
	int r = check_path(given, err);

	if (r == 0)
		r = fd_ensure_dir_path(given, 0700, &store->root_fd, err);
	if (r == 0)
		r = make_absolute(given, &store->root, err);
	if (r == 0)
		r = check_owner(store->root_fd, store->root, err);
	if (r < 0)
		return r;
	if (root) {
		if (asprintf(&store->run, "%s/run", store->root) < 0) {
			store->run = NULL;
			return err_sys(err, ENOMEM, "cannot open %s", store->root);
		}
		r = ensure_below(store, "run", &store->run_fd, err);
	} else {
		store->run = strdup(DEFAULT_RUN);
		if (!store->run)
			return err_sys(err, ENOMEM, "cannot open " DEFAULT_RUN);
		r = fd_ensure_dir_path(DEFAULT_RUN, 0700, &store->run_fd, err);
		if (r == 0)
			r = check_owner(store->run_fd, DEFAULT_RUN, err);
	}
	if (r == 0)
		r = ensure_below(store, "containers", &store->containers_fd, err);
	if (r == 0)
		r = ensure_below(store, "layers", &store->layers_fd, err);
	if (r == 0)
		r = open_blobs(store, err);
	if (r == 0)
		r = ensure_below(store, "tmp", &store->tmp_fd, err);
	if (r == 0)
		spread_subdirectories(store->tmp_fd);
	if (r == 0)
		reserve_keep(store->root_fd, RESERVE_BYTES);
	return r;
}

int store_sync(struct store *store, struct err *err)
{
	if (syncfs(store->tmp_fd) < 0)
		return err_sys(err, errno, "cannot sync %s", store->root);
	return 0;
}

int store_maintain(struct store *store, struct err *err)
{
	struct stat st;

	if (fstatat(store->root_fd, "cman.db-wal", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ?
			       0 :
			       err_sys(err, errno, "cannot read %s/cman.db-wal", store->root);
	return store->db && st.st_size > MAINTAIN_WAL_BYTES ? db_checkpoint(store->db, err) : 0;
}

void store_close_db(struct store *store)
{
	expected_forget(store);
	db_close(store->db);
	store->db = NULL;
	db_memory_give_back();
}

int store_reopen_db(struct store *store, struct err *err)
{
	int r = store->db ? 0 : schema_reopen(store->root, &store->db, err);

	if (r != -ENOSPC || !reserve_spend(store->root_fd))
		return r;
	*err = (struct err)ERR_INIT;
	return schema_reopen(store->root, &store->db, err);
}

/* Somebody else's directory, most often. */
static int explain(int r, struct err *err)
{
	if ((r == -EACCES || r == -EPERM || r == -EROFS) && geteuid() != 0)
		err_hint(err, "run cman as root, or set CMAN_ROOT to a directory of your own");
	return r;
}

int store_hint_room(const struct store *store, struct err *err)
{
	if ((err->num == ENOSPC || err->num == EDQUOT) && !err->hint[0])
		err_hint(err, "make room on the file system of %s", store->root);
	return err_code(err);
}

int store_open_files(const char *root, struct store *out, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	int r = open_directories(root, &store, err);

	if (r < 0)
		return explain(r, err);
	*out = store;
	store = (struct store)STORE_INIT;
	return 0;
}

int store_open_db(struct store *store, struct err *err)
{
	int r = store->db ? 0 : schema_open(store->root, store->root_fd, &store->db, err);

	if (r == -ENOSPC && reserve_spend(store->root_fd)) {
		*err = (struct err)ERR_INIT;
		r = schema_open(store->root, store->root_fd, &store->db, err);
	}
	return explain(r, err);
}

int store_open(const char *root, struct store *out, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	int r = store_open_files(root, &store, err);

	if (r == 0)
		r = store_open_db(&store, err);
	if (r < 0)
		return r;
	*out = store;
	store = (struct store)STORE_INIT;
	return 0;
}
