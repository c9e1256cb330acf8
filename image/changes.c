/* SPDX-License-Identifier: Apache-2.0 */
#include "image/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/attributes.h"
#include "image/pack.h"
#include "image/walk.h"
#include "store/base/cleanup.h"

#define OVERLAY "trusted.overlay."

struct changes {
	const struct changes_visitor *visitor;
	struct walk walk;
	/* Nothing of the layers shows in this directory: length of its path; 0: none. */
	size_t opaque_len;
	struct buf opaque;
	struct buf attributes[2];
};

static void changes_release(struct changes *changes)
{
	walk_release(&changes->walk);
	buf_release(&changes->opaque);
	buf_release(&changes->attributes[0]);
	buf_release(&changes->attributes[1]);
}

static int tell(const struct changes *changes, enum change_kind kind, const char *path,
		struct err *err)
{
	const struct changes_visitor *visitor = changes->visitor;

	return visitor->change ? visitor->change(kind, path, visitor->data, err) : 0;
}

/* How overlayfs keeps that a name of the layers below is gone. */
static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* 1: the layers show something there, and *st is that; 0: nothing. */
static int look_below(const struct walk_entry *entry, struct stat *st, struct err *err)
{
	if (entry->beside < 0)
		return 0;
	if (fstatat(entry->beside, entry->name, st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(err, errno, "cannot read /%s in the image", entry->path);
	}
	return !is_whiteout(st);
}

/* --- what is the same --- */

static int same_target(const struct walk_entry *entry, struct err *err)
{
	char here[PATH_MAX], below[PATH_MAX];
	ssize_t len = readlinkat(entry->dir, entry->name, here, sizeof(here)), other = -1;

	if (len >= 0)
		other = readlinkat(entry->beside, entry->name, below, sizeof(below));
	if (other < 0)
		return err_sys(err, errno, "cannot read /%s", entry->path);
	/* A running container may have put another one there since it was looked at. */
	return len == other && memcmp(here, below, (size_t)len) == 0;
}

static int same_attributes(struct changes *changes, const struct walk_entry *entry, struct err *err)
{
	const int dirs[2] = { entry->dir, entry->beside };
	int64_t ignored = 0;
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++) {
		AUTO_CLOSE int fd = openat(dirs[i], entry->name,
					   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0)
			return err_sys(err, errno, "cannot open /%s", entry->path);
		r = attributes_read(fd, &changes->attributes[i], &ignored, err);
	}
	if (r < 0)
		return err_wrap(err, "/%s", entry->path);
	return changes->attributes[0].len == changes->attributes[1].len &&
	       (changes->attributes[0].len == 0 ||
		memcmp(changes->attributes[0].data, changes->attributes[1].data,
		       changes->attributes[0].len) == 0);
}

/* 1: the entry is as the layers show it. */
static int is_same(struct changes *changes, const struct walk_entry *entry,
		   const struct stat *below, struct err *err)
{
	const struct stat *st = &entry->st;

	if (st->st_mode != below->st_mode || st->st_uid != below->st_uid ||
	    st->st_gid != below->st_gid || st->st_rdev != below->st_rdev ||
	    st->st_mtim.tv_sec != below->st_mtim.tv_sec ||
	    st->st_mtim.tv_nsec != below->st_mtim.tv_nsec)
		return 0;
	if (S_ISDIR(st->st_mode))
		return same_attributes(changes, entry, err);
	if (S_ISLNK(st->st_mode))
		return st->st_size == below->st_size ? same_target(entry, err) : 0;
	if (S_ISREG(st->st_mode))
		return st->st_size == below->st_size ? same_attributes(changes, entry, err) : 0;
	return 1;
}

/* --- what overlayfs notes about directories and files --- */

static int refuse(const char *path, const char *feature, struct err *err)
{
	err_set(err, ERR_UNSUPPORTED, ENOTSUP, "/%s is kept by reference only (%s of overlayfs)",
		path, feature);
	return err_hint(err, "the container was made while the overlay module had %s on by default",
			feature);
}

/* 1: hides what the layers have in it. */
static int is_opaque(const struct walk_entry *entry, struct err *err)
{
	AUTO_CLOSE int fd =
		openat(entry->dir, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char value;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "cannot open /%s", entry->path);
	if (fgetxattr(fd, OVERLAY "redirect", NULL, 0) >= 0)
		return refuse(entry->path, "redirect_dir", err);
	return fgetxattr(fd, OVERLAY "opaque", &value, 1) == 1 && value == 'y';
}

/* Data that stayed in the layer leaves a file without blocks. */
static int check_data(const struct walk_entry *entry, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	if (entry->st.st_blocks > 0 || entry->st.st_size == 0)
		return 0;
	fd = openat(entry->dir, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && fgetxattr(fd, OVERLAY "metacopy", NULL, 0) >= 0)
		return refuse(entry->path, "metacopy", err);
	return 0;
}

static bool is_hidden_from_below(struct changes *changes, const char *path)
{
	size_t len = changes->opaque_len;

	if (len > 0 && (strncmp(path, changes->opaque.data, len) != 0 || path[len] != '/'))
		changes->opaque_len = len = 0;
	return len > 0;
}

/* Names below that the directory, which hides them, does not have. */
static int tell_hidden(struct changes *changes, const struct walk_entry *entry, struct err *err)
{
	AUTO_WALK struct walk below = { 0 };
	AUTO_CLOSE int above_fd = openat(entry->dir, entry->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int below_fd =
		openat(entry->beside, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct walk_entry hidden;
	struct stat st;
	int r;

	if (above_fd < 0 || below_fd < 0)
		return err_sys(err, errno, "cannot open /%s", entry->path);
	r = walk_begin(&below, below_fd, -1, PACK_PATH_MAX, err);
	while (r == 0 && (r = walk_next(&below, &hidden, err)) > 0) {
		AUTO_BUF struct buf path = BUF_INIT;
		bool is_root = hidden.path[0] == '\0';

		r = 0;
		if (is_root)
			continue;
		walk_skip(&below);
		if (is_whiteout(&hidden.st) ||
		    fstatat(above_fd, hidden.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		buf_addf(&path, "%s/%s", entry->path, hidden.name);
		r = buf_failed(&path) ? err_sys(err, ENOMEM, "cannot list changes") :
					tell(changes, CHANGE_DELETED, path.data, err);
	}
	return r;
}

/* A directory that the layers have as well. `opaque`: its own mark. */
static int look_at_dir(struct changes *changes, const struct walk_entry *entry, bool opaque,
		       struct err *err)
{
	int r = 0;

	if (is_hidden_from_below(changes, entry->path))
		return tell_hidden(changes, entry, err);
	if (!opaque)
		return 0;
	buf_reset(&changes->opaque);
	buf_addstr(&changes->opaque, entry->path);
	if (buf_failed(&changes->opaque))
		return err_sys(err, ENOMEM, "cannot list changes");
	changes->opaque_len = changes->opaque.len;
	if (changes->visitor->opaque)
		r = changes->visitor->opaque(entry->path, changes->visitor->data, err);
	return r < 0 ? r : tell_hidden(changes, entry, err);
}

static int look_at(struct changes *changes, const struct walk_entry *entry, struct err *err)
{
	bool is_dir = S_ISDIR(entry->st.st_mode);
	struct stat below;
	int there = look_below(entry, &below, err), opaque = 0, r = 0;

	if (there < 0)
		return there;
	if (is_whiteout(&entry->st))
		return there ? tell(changes, CHANGE_DELETED, entry->path, err) : 0;
	if (is_dir)
		r = opaque = is_opaque(entry, err);
	else if (S_ISREG(entry->st.st_mode))
		r = check_data(entry, err);
	if (r < 0)
		return r;
	if (!there)
		return tell(changes, CHANGE_ADDED, entry->path, err);
	r = is_same(changes, entry, &below, err);
	if (r == 0)
		r = tell(changes, CHANGE_CHANGED, entry->path, err);
	if (r < 0 || !is_dir || !S_ISDIR(below.st_mode))
		return r < 0 ? r : 0;
	return look_at_dir(changes, entry, opaque, err);
}

int changes_walk(int upper, int below, const struct changes_visitor *visitor, struct err *err)
{
	struct changes changes __attribute__((cleanup(changes_release))) = { .visitor = visitor };
	struct walk_entry entry;
	int r = walk_begin(&changes.walk, upper, below, PACK_PATH_MAX, err);

	while (r == 0 && (r = walk_next(&changes.walk, &entry, err)) > 0)
		r = entry.path[0] == '\0' ? 0 : look_at(&changes, &entry, err);
	return r;
}
