/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/tree_walk.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define SPECIAL_BITS (S_ISUID | S_ISGID | S_ISVTX)

int tree_init(struct tree *tree, int root_fd, const struct tree_limits *limits, struct err *err)
{
	*tree = (struct tree){ .limits = *limits, .uid = geteuid(), .gid = getegid() };
	for (int i = 0; i < TREE_PARENTS; i++)
		tree->parents[i].fd = -1;
	tree->last = &tree->parents[0];
	/* Its time is set at the end: 1970-01-01 unless an entry tells another. */
	tree->parents[0] =
		(struct tree_parent){ .path = strdup(""), .fd = root_fd, .touched = true };
	return tree->parents[0].path ? 0 : err_sys(err, ENOMEM, "cannot unpack");
}

void tree_release(struct tree *tree)
{
	for (int i = 0; i < TREE_PARENTS; i++) {
		struct tree_parent *parent = &tree->parents[i];

		if (i > 0 && parent->path) /* the root is the caller's */
			cleanup_close(&parent->fd);
		free(parent->path);
		free(parent->written);
		*parent = (struct tree_parent){ .fd = -1 };
	}
	mark_set_release(&tree->marks);
}

/* --- what is in the way --- */

/*
 * Take away what an earlier entry put there, which `st` is. Directories that were lent are gone
 * afterwards.
 */
static int make_room(struct tree *tree, const struct tree_parent *dir, const char *leaf,
		     const struct stat *st, struct err *err)
{
	AUTO_CLOSE int held = -1;
	int r;

	if (!S_ISDIR(st->st_mode)) {
		if (S_ISLNK(st->st_mode))
			tree_forget_written(tree);
		if (unlinkat(dir->fd, leaf, 0) < 0)
			return err_sys(err, errno, "cannot replace what was there before");
		return 0;
	}
	held = fcntl(dir->fd, F_DUPFD_CLOEXEC, 0);
	if (held < 0)
		return err_sys(err, errno, "cannot replace what was there before");
	/* What is kept open may be in it. */
	r = tree_close_parents(tree, err);
	return r < 0 ? r : fd_remove_tree(held, leaf, err);
}

/* What is at `leaf`. */
static int look(const struct tree_parent *dir, const char *leaf, struct stat *st, struct err *err)
{
	if (fstatat(dir->fd, leaf, st, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_failed(err, errno, "cannot create");
	return 0;
}

static int clear_way(struct tree *tree, const char *path, const struct stat *st,
		     struct tree_parent **dir, const char **leaf, struct err *err)
{
	int r = make_room(tree, *dir, *leaf, st, err);

	return r < 0 ? r : tree_walk_to_change(tree, path, dir, leaf, err);
}

/*
 * Run `make` (0 or more, else errno is set) in the entry's directory, and again after what is in
 * its way has been removed.
 */
typedef int maker(int dir, const char *leaf, const void *data);

static int make_at(struct tree *tree, const char *path, maker *make, const void *data,
		   struct tree_parent **dir, const char **leaf, struct err *err)
{
	int made, r = tree_walk_to_change(tree, path, dir, leaf, err);

	if (r < 0)
		return r;
	made = make((*dir)->fd, *leaf, data);
	if (made < 0 && errno == EEXIST) {
		struct stat st;

		r = look(*dir, *leaf, &st, err);
		if (r == 0)
			r = clear_way(tree, path, &st, dir, leaf, err);
		if (r < 0)
			return r;
		made = make((*dir)->fd, *leaf, data);
	}
	return made < 0 ? tree_failed(err, errno, "cannot create") : made;
}

/* --- directories --- */

static int name_root(struct tree *tree, const struct tree_entry *entry, struct err *err)
{
	struct tree_parent *root = &tree->parents[0];

	root->mtime = entry->mtime;
	root->setgid = entry->mode & S_ISGID;
	if (fchown(root->fd, entry->uid, entry->gid) < 0 ||
	    fchmod(root->fd, entry->mode & 07777) < 0)
		return err_sys(err, errno, "cannot set owner and mode");
	return 0;
}

/* *fresh: it was not there. *replaced: something else was. */
static int make_dir(struct tree *tree, const struct tree_entry *entry, struct tree_parent **dir,
		    const char **leaf, bool *fresh, bool *replaced, struct err *err)
{
	struct stat st;
	int r = tree_walk_to_change(tree, entry->path, dir, leaf, err);

	if (r < 0)
		return r;
	*fresh = mkdirat((*dir)->fd, *leaf, entry->mode & 0777) == 0;
	if (*fresh)
		return 0;
	if (errno != EEXIST)
		return tree_failed(err, errno, "cannot create");
	r = look(*dir, *leaf, &st, err);
	if (r < 0 || S_ISDIR(st.st_mode))
		return r;
	r = clear_way(tree, entry->path, &st, dir, leaf, err);
	if (r < 0)
		return r;
	if (mkdirat((*dir)->fd, *leaf, entry->mode & 0777) < 0)
		return tree_failed(err, errno, "cannot create");
	*fresh = *replaced = true;
	return 0;
}

/* An entry has named it: that is what it is. */
static int mark_dir(struct tree *tree, const char *path, bool fresh, bool replaced, struct err *err)
{
	mark_set_drop(&tree->marks, path, MARK_IMPLICIT);
	if (fresh)
		mark_set_drop(&tree->marks, path, MARK_OPAQUE);
	/* A whiteout, or anything else that hides what the layers below have there. */
	return replaced ? tree_mark(tree, path, MARK_OPAQUE, err) : 0;
}

int tree_make_dir(struct tree *tree, const struct tree_entry *entry, struct err *err)
{
	const struct timespec times[2] = { entry->mtime, entry->mtime };
	bool fresh = false, replaced = false, all;
	struct tree_parent *dir, *kept;
	AUTO_FREE char *path = NULL;
	const char *leaf;
	int r;

	if (entry->path[0] == '\0')
		return name_root(tree, entry, err);
	r = make_dir(tree, entry, &dir, &leaf, &fresh, &replaced, err);
	if (r < 0)
		return r;
	all = !fresh || dir->setgid;
	if ((all || entry->uid != tree->uid || entry->gid != tree->gid) &&
	    fchownat(dir->fd, leaf, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot set the owner");
	if ((all || (entry->mode & SPECIAL_BITS)) &&
	    fchmodat(dir->fd, leaf, entry->mode & 07777, 0) < 0)
		return err_sys(err, errno, "cannot set the mode");
	if (utimensat(dir->fd, leaf, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot set the time");
	path = tree_join(dir->path, leaf, strlen(leaf));
	if (!path)
		return err_sys(err, ENOMEM, "cannot create");
	kept = fresh ? NULL : tree_kept(tree, path);
	if (kept) {
		kept->mtime = entry->mtime;
		kept->setgid = entry->mode & S_ISGID;
	}
	return mark_dir(tree, path, fresh, replaced, err);
}

int tree_open_dir(struct tree *tree, const char *path, int *fd, struct err *err)
{
	struct tree_parent *dir;
	int opened, r = tree_walk(tree, path, false, &dir, err);

	if (r < 0)
		return r;
	opened = fcntl(dir->fd, F_DUPFD_CLOEXEC, 0);
	if (opened < 0)
		return err_sys(err, errno, "cannot open the directory");
	*fd = opened;
	return 0;
}

/* --- files --- */

static int make_file(int dir, const char *leaf, const void *data)
{
	const struct tree_entry *entry = data;

	return openat(dir, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      entry->mode & 0777);
}

int tree_make_file(struct tree *tree, const struct tree_entry *entry, int *fd, struct err *err)
{
	struct tree_parent *dir;
	const char *leaf;
	int made = make_at(tree, entry->path, make_file, entry, &dir, &leaf, err);

	if (made < 0)
		return made;
	*fd = made;
	return 0;
}

/*
 * New files belong to the unpacking user, unless their directory has a group of its own to give,
 * so that most files of an image need no change.
 */
static bool has_owner(const struct tree *tree, const struct tree_entry *entry)
{
	return entry->uid == tree->uid && entry->gid == tree->gid && !tree->last->setgid;
}

int tree_finish_file(const struct tree *tree, const struct tree_entry *entry, int fd,
		     struct err *err)
{
	const struct timespec times[2] = { entry->mtime, entry->mtime };

	if (!has_owner(tree, entry) && fchown(fd, entry->uid, entry->gid) < 0)
		return err_sys(err, errno, "cannot set the owner");
	/* Last, because a change of owner clears set-ID bits. */
	if ((entry->mode & SPECIAL_BITS) && fchmod(fd, entry->mode & 07777) < 0)
		return err_sys(err, errno, "cannot set the mode");
	if (futimens(fd, times) < 0)
		return err_sys(err, errno, "cannot set the time");
	return 0;
}

static int set_owner_and_time(const struct tree *tree, const struct tree_parent *dir,
			      const char *leaf, const struct tree_entry *entry, struct err *err)
{
	const struct timespec times[2] = { entry->mtime, entry->mtime };

	if (!has_owner(tree, entry) &&
	    fchownat(dir->fd, leaf, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot set the owner");
	if (utimensat(dir->fd, leaf, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot set the time");
	return 0;
}

static int make_symlink(int dir, const char *leaf, const void *data)
{
	return symlinkat(data, dir, leaf);
}

int tree_make_symlink(struct tree *tree, const struct tree_entry *entry, const char *target,
		      struct err *err)
{
	struct tree_parent *dir;
	const char *leaf;
	int r = make_at(tree, entry->path, make_symlink, target, &dir, &leaf, err);

	return r < 0 ? r : set_owner_and_time(tree, dir, leaf, entry, err);
}

struct node {
	mode_t mode;
	dev_t device;
};

static int make_node(int dir, const char *leaf, const void *data)
{
	const struct node *node = data;

	return mknodat(dir, leaf, node->mode, node->device);
}

int tree_make_node(struct tree *tree, const struct tree_entry *entry, mode_t type, dev_t device,
		   struct err *err)
{
	const struct node node = { type | (entry->mode & 0777), device };
	struct tree_parent *dir;
	const char *leaf;
	int r = make_at(tree, entry->path, make_node, &node, &dir, &leaf, err);

	if (r == 0)
		r = set_owner_and_time(tree, dir, leaf, entry, err);
	if (r == 0 && (entry->mode & SPECIAL_BITS) &&
	    fchmodat(dir->fd, leaf, entry->mode & 07777, 0) < 0)
		return err_sys(err, errno, "cannot set the mode");
	return r;
}

/* --- hard links --- */

struct hardlink {
	int dir;
	const char *leaf;
};

static int make_hardlink(int dir, const char *leaf, const void *data)
{
	const struct hardlink *link = data;

	return linkat(link->dir, link->leaf, dir, leaf, 0);
}

/* The directory of what is to be linked to; ERR_INVALID unless it is a file of this archive. */
static int find_target(struct tree *tree, const char *target, struct tree_parent **dir,
		       const char **leaf, struct err *err)
{
	int r = tree_walk_to_parent(tree, target, false, dir, leaf, err);
	bool there = false;
	struct stat st;

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0)
		there = fstatat((*dir)->fd, *leaf, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (r == 0 && !there && errno != ENOENT)
		return tree_failed(err, errno, "cannot look at it");
	if (!there || (S_ISCHR(st.st_mode) && st.st_rdev == 0))
		return err_set(err, ERR_INVALID, ENOENT,
			       "the archive has no such file before this entry");
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, EISDIR, "it is a directory");
	return 0;
}

int tree_make_hardlink(struct tree *tree, const char *path, const char *target, struct err *err)
{
	AUTO_CLOSE int held = -1;
	struct hardlink link;
	struct tree_parent *dir;
	const char *leaf;
	int r;

	if (target[0] == '\0' || path[0] == '\0')
		return err_set(err, ERR_INVALID, EISDIR, "the root cannot be linked");
	if (strcmp(path, target) == 0)
		return err_set(err, ERR_INVALID, ELOOP, "is a hard link to itself");
	r = find_target(tree, target, &dir, &link.leaf, err);
	if (r < 0)
		return err_wrap(err, "hard link to %s", target), r;
	/* What is lent may be closed when the link's own directory is looked up. */
	held = link.dir = fcntl(dir->fd, F_DUPFD_CLOEXEC, 0);
	if (held < 0)
		return err_sys(err, errno, "cannot link to %s", target);
	r = make_at(tree, path, make_hardlink, &link, &dir, &leaf, err);
	return r < 0 ? err_wrap(err, "hard link to %s", target) : 0;
}
