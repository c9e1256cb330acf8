/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define SPECIAL_BITS (S_ISUID | S_ISGID | S_ISVTX)

void tree_init(struct tree *tree, int root_fd)
{
	*tree = (struct tree){ .root_fd = root_fd };
	for (int i = 0; i < TREE_PARENTS; i++)
		tree->parents[i].fd = -1;
}

static void forget_parents(struct tree *tree)
{
	for (int i = 0; i < TREE_PARENTS; i++) {
		struct tree_parent *parent = &tree->parents[i];

		free(parent->path);
		cleanup_close(&parent->fd);
		*parent = (struct tree_parent){ .fd = -1 };
	}
}

void tree_release(struct tree *tree)
{
	forget_parents(tree);
	for (size_t i = 0; i < tree->ndirs; i++)
		free(tree->dirs[i].path);
	free(tree->dirs);
	tree->dirs = NULL;
	tree->ndirs = tree->dirs_room = 0;
}

int tree_clean_path(const char *path, char out[PATH_MAX], struct err *err)
{
	size_t used = 0;

	if (path[0] == '\0')
		return err_set(err, ERR_INVALID, EINVAL, "an entry has no name");
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0)
			return err_set(err, ERR_INVALID, EINVAL, "the name has a '..' component");
		if (len > 0 && !(len == 1 && path[0] == '.')) {
			if (used + len + 2 > PATH_MAX)
				return err_set(err, ERR_INVALID, ENAMETOOLONG,
					       "a name is longer than %d bytes", PATH_MAX - 1);
			if (used > 0)
				out[used++] = '/';
			memcpy(out + used, path, len);
			used += len;
		}
		path += len;
		path += *path == '/';
	}
	out[used] = '\0';
	return 0;
}

/* Make the directories of `path` that are missing, as mkdir -p does. */
static int make_missing(struct tree *tree, char *path, struct err *err)
{
	for (char *end = path;; *end = '/') {
		AUTO_CLOSE int dir = -1;
		char *leaf = end == path ? path : end + 1;
		char before = *end;

		/* [path, end) is there; make the component that follows it. */
		*end = '\0';
		dir = end == path ? dup(tree->root_fd) :
				    fd_open_in_root(tree->root_fd, path, O_PATH | O_DIRECTORY, 0);
		*end = before;
		if (dir < 0)
			return err_sys(err, end == path ? errno : -dir,
				       "cannot open its directory");
		end = strchr(leaf, '/');
		if (end)
			*end = '\0';
		if (mkdirat(dir, leaf, 0755) < 0 && errno != EEXIST)
			return err_sys(err, errno, "cannot create its directory");
		if (!end)
			return 0;
	}
}

/* The opened directory that holds the last component of `path`, and that component. Borrowed. */
static int find_parent(struct tree *tree, const char *path, int *dir, const char **leaf,
		       struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	struct tree_parent *oldest = &tree->parents[0];
	AUTO_FREE char *copy = NULL;
	int fd;

	*leaf = slash ? slash + 1 : path;
	if (!slash) {
		*dir = tree->root_fd;
		return 0;
	}
	for (int i = 0; i < TREE_PARENTS; i++) {
		struct tree_parent *parent = &tree->parents[i];

		if (parent->path && strncmp(parent->path, path, len) == 0 && !parent->path[len]) {
			parent->last_used = ++tree->clock;
			*dir = parent->fd;
			return 0;
		}
		if (parent->last_used < oldest->last_used)
			oldest = parent;
	}
	copy = strndup(path, len);
	if (!copy)
		return err_sys(err, ENOMEM, "cannot open its directory");
	fd = fd_open_in_root(tree->root_fd, copy, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT) {
		int r = make_missing(tree, copy, err);

		if (r < 0)
			return r;
		fd = fd_open_in_root(tree->root_fd, copy, O_PATH | O_DIRECTORY, 0);
	}
	if (fd < 0)
		return err_sys(err, -fd, "cannot open its directory");
	free(oldest->path);
	cleanup_close(&oldest->fd);
	*oldest = (struct tree_parent){ STEAL_PTR(copy), fd, ++tree->clock };
	*dir = fd;
	return 0;
}

/* Take away what an earlier entry put there. */
static int make_room(struct tree *tree, int dir, const char *leaf, struct err *err)
{
	/* A directory or symlink that goes may be part of a path that is kept opened. */
	struct stat st;
	bool plain = fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	int r = 0;

	if (unlinkat(dir, leaf, 0) < 0) {
		if (errno != EISDIR)
			return err_sys(err, errno, "cannot replace what was there before");
		r = fd_remove_tree(dir, leaf, err);
	}
	if (!plain)
		forget_parents(tree);
	return r;
}

/*
 * Run `make` (0 or more, else errno is set) in the entry's directory, and again after what is in
 * its way has been removed.
 */
typedef int maker(int dir, const char *leaf, const void *data);

static int make_at(struct tree *tree, const char *path, maker *make, const void *data, int *dir,
		   const char **leaf, struct err *err)
{
	int made, r;

	if (path[0] == '\0')
		return err_set(err, ERR_INVALID, EINVAL, "the root itself has to be a directory");
	r = find_parent(tree, path, dir, leaf, err);
	if (r < 0)
		return r;
	made = make(*dir, *leaf, data);
	if (made < 0 && errno == EEXIST) {
		r = make_room(tree, *dir, *leaf, err);
		if (r == 0)
			r = find_parent(tree, path, dir, leaf, err);
		if (r < 0)
			return r;
		made = make(*dir, *leaf, data);
	}
	return made < 0 ? err_sys(err, errno, "cannot create") : made;
}

static int remember_dir(struct tree *tree, const struct tree_entry *entry, struct err *err)
{
	struct tree_dir *dir;

	if (tree->ndirs == tree->dirs_room) {
		size_t room = tree->dirs_room ? tree->dirs_room * 2 : 256;
		struct tree_dir *grown = reallocarray(tree->dirs, room, sizeof(*grown));

		if (!grown)
			return err_sys(err, ENOMEM, "cannot remember the directory");
		tree->dirs = grown;
		tree->dirs_room = room;
	}
	dir = &tree->dirs[tree->ndirs];
	*dir = (struct tree_dir){ strdup(entry->path), entry->mode & 07777, entry->mtime };
	if (!dir->path)
		return err_sys(err, ENOMEM, "cannot remember the directory");
	tree->ndirs++;
	return 0;
}

static int make_dir(int dir, const char *leaf, const void *data)
{
	struct stat st;

	(void)data;
	/* Open for its maker only, until tree_finish() gives it its mode. */
	if (mkdirat(dir, leaf, 0700) == 0)
		return 0;
	if (errno == EEXIST && fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = EEXIST;
	}
	return -1;
}

int tree_make_dir(struct tree *tree, const struct tree_entry *entry, struct err *err)
{
	int r, dir = tree->root_fd;
	const char *leaf = ".";

	if (entry->path[0] != '\0') {
		r = make_at(tree, entry->path, make_dir, NULL, &dir, &leaf, err);
		if (r < 0)
			return r;
	}
	if (fchownat(dir, leaf, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot set the owner");
	return remember_dir(tree, entry, err);
}

static int make_file(int dir, const char *leaf, const void *data)
{
	const struct tree_entry *entry = data;

	return openat(dir, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      entry->mode & 0777);
}

int tree_make_file(struct tree *tree, const struct tree_entry *entry, int *fd, struct err *err)
{
	const char *leaf;
	int dir, made = make_at(tree, entry->path, make_file, entry, &dir, &leaf, err);

	if (made < 0)
		return made;
	*fd = made;
	return 0;
}

int tree_finish_file(const struct tree_entry *entry, int fd, struct err *err)
{
	const struct timespec times[2] = { entry->mtime, entry->mtime };
	AUTO_CLOSE int owned = fd;

	/* New files belong to the unpacking user (directories get their set-group-ID bit last), so
	 * that most files of an image need none of these. A change of owner clears set-ID bits. */
	if ((entry->uid != geteuid() || entry->gid != getegid()) &&
	    fchown(fd, entry->uid, entry->gid) < 0)
		return err_sys(err, errno, "cannot set the owner");
	if ((entry->mode & SPECIAL_BITS) && fchmod(fd, entry->mode & 07777) < 0)
		return err_sys(err, errno, "cannot set the mode");
	if (futimens(fd, times) < 0)
		return err_sys(err, errno, "cannot set the time");
	/* Some file systems tell only now that there was no space. */
	if (close(STEAL_FD(owned)) < 0)
		return err_sys(err, errno, "cannot write");
	return 0;
}

static int set_owner_and_time(int dir, const char *leaf, const struct tree_entry *entry,
			      struct err *err)
{
	const struct timespec times[2] = { entry->mtime, entry->mtime };

	if ((entry->uid != geteuid() || entry->gid != getegid()) &&
	    fchownat(dir, leaf, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot set the owner");
	if (utimensat(dir, leaf, times, AT_SYMLINK_NOFOLLOW) < 0)
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
	const char *leaf;
	int dir, r = make_at(tree, entry->path, make_symlink, target, &dir, &leaf, err);

	return r < 0 ? r : set_owner_and_time(dir, leaf, entry, err);
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
	const char *leaf;
	int dir, r = make_at(tree, entry->path, make_node, &node, &dir, &leaf, err);

	return r < 0 ? r : set_owner_and_time(dir, leaf, entry, err);
}

struct hardlink {
	int dir;
	const char *leaf;
};

static int make_hardlink(int dir, const char *leaf, const void *data)
{
	const struct hardlink *link = data;

	return linkat(link->dir, link->leaf, dir, leaf, 0);
}

int tree_make_hardlink(struct tree *tree, const char *path, const char *target, struct err *err)
{
	AUTO_CLOSE int held = -1;
	struct hardlink link;
	const char *leaf;
	int dir, r;

	if (strcmp(path, target) == 0)
		return err_set(err, ERR_INVALID, ELOOP, "is a hard link to itself");
	r = find_parent(tree, target, &dir, &link.leaf, err);
	if (r < 0)
		return r;
	/* What find_parent() lends may be closed when the link's own directory is looked up. */
	held = link.dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (held < 0)
		return err_sys(err, errno, "cannot link to %s", target);
	r = make_at(tree, path, make_hardlink, &link, &dir, &leaf, err);
	return r < 0 ? err_wrap(err, "hard link to %s", target) : 0;
}

int tree_open_dir(struct tree *tree, const char *path, int *fd, struct err *err)
{
	int opened = fd_open_in_root(tree->root_fd, path[0] ? path : ".",
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (opened < 0)
		return err_sys(err, -opened, "cannot open the directory");
	*fd = opened;
	return 0;
}

bool tree_keeps_attribute(const char *name)
{
	if (strcmp(name, "security.capability") == 0)
		return true;
	return strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0;
}

/* As one openat2(2), which takes less than PATH_MAX bytes. */
static int open_piece(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int tree_open_beneath(int root_fd, const char *path, int flags)
{
	AUTO_CLOSE int held = -1;
	char piece[PATH_MAX];

	while (strlen(path) >= sizeof(piece)) {
		size_t len = sizeof(piece) - 1;
		int fd;

		while (len > 0 && path[len] != '/')
			len--;
		if (len == 0)
			return -ENAMETOOLONG;
		memcpy(piece, path, len);
		piece[len] = '\0';
		fd = open_piece(held >= 0 ? held : root_fd, piece, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return fd;
		cleanup_close(&held);
		held = fd;
		path += len + 1;
	}
	return open_piece(held >= 0 ? held : root_fd, path[0] ? path : ".", flags);
}

int tree_finish(struct tree *tree, struct err *err)
{
	for (size_t i = 0; i < tree->ndirs; i++) {
		const struct tree_dir *dir = &tree->dirs[i];
		const struct timespec times[2] = { dir->mtime, dir->mtime };
		AUTO_CLOSE int fd = -1;
		int r = tree_open_dir(tree, dir->path, &fd, err);

		/* A later entry may have put something else there. */
		if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
			continue;
		if (r == 0 && (fchmod(fd, dir->mode) < 0 || futimens(fd, times) < 0))
			r = err_sys(err, errno, "cannot set mode and time");
		if (r < 0)
			return err_wrap(err, "%s", dir->path), r;
	}
	return 0;
}
