/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/volume_fill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "image/tree_copy.h"
#include "manager/container_tree.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/layers.h"
#include "store/store.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#endif
#define LOCK_STEP_NS 5000000L

struct filling {
	struct store *store;
	const struct spec *spec;
	int image; /* the files of the image, merged; -1: not needed so far */
	bool durable;
};

/* They are blocked while a container is made, and wait for the payload: `cman run`. */
static int poll_signals(void *data, struct err *err)
{
	sigset_t pending;

	(void)data;
	if (sigpending(&pending) < 0)
		return err_sys(err, errno, "cannot look for signals");
	if (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
	    sigismember(&pending, SIGHUP))
		return err_set(err, ERR_STATE, EINTR, "interrupted");
	return 0;
}

static int lock(int dir, struct err *err)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_NS };
	int r = 0;

	while (r == 0 && flock(dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, errno, "cannot lock it");
		r = poll_signals(NULL, err);
		if (r == 0)
			nanosleep(&step, NULL);
	}
	return r;
}

static int look_at(int fd, struct stat *out, struct err *err)
{
	return fstat(fd, out) < 0 ? err_sys(err, errno, "cannot read it") : 0;
}

static int look_like(int fd, const struct stat *st, struct err *err)
{
	if (fchown(fd, st->st_uid, st->st_gid) < 0 || fchmod(fd, st->st_mode & 07777) < 0 ||
	    futimens(fd, (struct timespec[]){ st->st_mtim, st->st_mtim }) < 0)
		return err_sys(err, errno, "cannot set owner, mode and time");
	return 0;
}

static int open_directory(int parent, const char *name, int *out, struct err *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", name);
	*out = fd;
	return 0;
}

/* What a container has put there meanwhile stays, and is worth more. */
static int move_entries(int draft, int data, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(draft, ".");
	const struct dirent *entry;

	if (!dir)
		return err_sys(err, errno, "cannot read " VOLUME_DRAFT);
	while ((entry = fd_readdir(dir)))
		if (syscall(SYS_renameat2, draft, entry->d_name, data, entry->d_name,
			    RENAME_NOREPLACE) < 0 &&
		    errno != EEXIST && errno != ENOENT)
			return err_sys(err, errno, "cannot move %s", entry->d_name);
	return errno ? err_sys(err, errno, "cannot read " VOLUME_DRAFT) : 0;
}

/* The last steps, which whoever comes next takes after a kill. */
static int finish(const struct filling *filling, const char *name, int dir, int data,
		  struct err *err)
{
	AUTO_CLOSE int draft = -1;
	struct stat st;
	int r = open_directory(dir, VOLUME_DRAFT, &draft, err);

	/* Its time is another one when things have been moved out of it. */
	if (r == 0)
		r = look_at(draft, &st, err);
	if (r == 0)
		r = move_entries(draft, data, err);
	if (r == 0)
		r = look_like(data, &st, err);
	if (r == 0)
		r = volume_set_filled(filling->store, name, err);
	return r < 0 ? r : fd_remove_tree(dir, VOLUME_DRAFT, err);
}

static int copy_draft(const struct filling *filling, int source, int dir, struct err *err)
{
	struct layer_draft draft = LAYER_DRAFT_INIT;
	int r = layer_draft_begin(filling->store, &draft, err);

	if (r == 0)
		r = tree_copy(source, draft.fd, poll_signals, NULL, err);
	if (r == 0 && filling->durable)
		r = store_sync(filling->store, err);
	if (r == 0 && renameat(filling->store->tmp_fd, draft.name, dir, VOLUME_DRAFT) < 0)
		r = err_sys(err, errno, "cannot move the copy");
	layer_draft_abort(filling->store, &draft);
	return r;
}

/* The files of the image, merged; or the directory that is the root. */
static int open_image(const struct spec *spec, int *out, struct err *err)
{
	int fd;

	if (!spec->root_path)
		return container_tree_below(spec, out, err);
	fd = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", spec->root_path);
	*out = fd;
	return 0;
}

/*
 * 1: *out is what the image has there. Symlinks on the way are the container's own, and lead where
 * they lead inside.
 */
static int open_source(struct filling *filling, const char *path, int *out, struct err *err)
{
	int fd, r = 0;

	if (filling->image < 0)
		r = open_image(filling->spec, &filling->image, err);
	if (r < 0)
		return r;
	fd = fd_open_in_root(filling->image, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return err_sys(err, -fd, "cannot open it");
	*out = fd;
	return 1;
}

static int fill_empty(struct filling *filling, const struct volume_use *use, int dir, int data,
		      struct err *err)
{
	AUTO_CLOSE int source = -1;
	struct stat st;
	int r = open_source(filling, use->destination, &source, err);

	if (r <= 0)
		return r;
	r = look_at(source, &st, err);
	if (r < 0)
		return r;
	r = fd_is_empty(source, ".");
	if (r < 0)
		return err_sys(err, -r, "cannot read it");
	if (r > 0)
		return look_like(data, &st, err);
	r = copy_draft(filling, source, dir, err);
	return r < 0 ? r : finish(filling, use->volume.name, dir, data, err);
}

static int fill_one(struct filling *filling, const struct volume_use *use, struct err *err)
{
	const char *name = use->volume.name;
	AUTO_VOLUME_RECORD struct volume_record now = VOLUME_RECORD_INIT;
	AUTO_CLOSE int dir = -1;
	AUTO_CLOSE int data = -1;
	int r = volume_dir_open(filling->store, name, &dir, err);

	if (r == 0)
		r = lock(dir, err);
	/* Only now: who had the lock may have filled it. */
	if (r == 0)
		r = volume_find(filling->store, name, &now, err);
	if (r == 0)
		r = open_directory(dir, VOLUME_DATA, &data, err);
	if (r < 0)
		return r;
	if (faccessat(dir, VOLUME_DRAFT, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return finish(filling, name, dir, data, err);
	if (now.filled || now.options || !use->fill)
		return 0;
	r = fd_is_empty(data, ".");
	if (r < 0)
		return err_sys(err, -r, "cannot read it");
	return r ? fill_empty(filling, use, dir, data, err) : 0;
}

int volume_fill(struct store *store, const struct spec *spec, const struct volume_use *uses,
		size_t n, bool durable, struct err *err)
{
	struct filling filling = { store, spec, -1, durable };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = fill_one(&filling, &uses[i], err);
		if (r < 0)
			err_wrap(err, "cannot fill volume %s from %s of the image",
				 uses[i].volume.name, uses[i].destination);
	}
	cleanup_close(&filling.image);
	return r;
}
