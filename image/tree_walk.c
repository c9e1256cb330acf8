/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"

#define MAX_LINKS 40 /* as in the kernel, path_resolution(7) */
#define IMPLICIT_MODE 0755

int tree_failed(struct err *err, int num, const char *text)
{
	err_sys(err, num, "%s", text);
	if (num == ENOTDIR || num == EISDIR || num == ELOOP || num == ENAMETOOLONG)
		err->kind = ERR_INVALID;
	return err_code(err);
}

char *tree_join(const char *path, const char *leaf, size_t leaf_len)
{
	size_t len = strlen(path);
	char *joined = malloc(len + leaf_len + 2);

	if (!joined)
		return NULL;
	memcpy(joined, path, len);
	if (len > 0)
		joined[len++] = '/';
	memcpy(joined + len, leaf, leaf_len);
	joined[len + leaf_len] = '\0';
	return joined;
}

int tree_mark(struct tree *tree, const char *path, enum mark_kind kind, struct err *err)
{
	int r = mark_set_add(&tree->marks, path, kind);

	if (r == -E2BIG)
		return err_set(err, ERR_INVALID, E2BIG,
			       "more than %u directories are opaque or have no entry of their own",
			       MARKS_MAX_COUNT);
	return r < 0 ? err_sys(err, -r, "cannot remember the directory") : 0;
}

/* --- directories that are open --- */

/* Before something is made in `dir` or removed from it. */
static int touch(struct tree_parent *dir, struct err *err)
{
	struct stat st;

	if (dir->touched)
		return 0;
	if (fstat(dir->fd, &st) < 0)
		return err_sys(err, errno, "cannot look at its directory");
	dir->touched = true;
	dir->mtime = st.st_mtim;
	dir->setgid = st.st_mode & S_ISGID;
	return 0;
}

static int restore_time(struct tree_parent *dir, struct err *err)
{
	const struct timespec times[2] = { dir->mtime, dir->mtime };

	if (dir->touched && futimens(dir->fd, times) < 0)
		return err_sys(err, errno, "%s: cannot set the time", dir->path);
	dir->touched = false;
	return 0;
}

static int close_parent(struct tree_parent *dir, struct err *err)
{
	int r = restore_time(dir, err);

	free(dir->path);
	free(dir->written);
	cleanup_close(&dir->fd);
	*dir = (struct tree_parent){ .fd = -1 };
	return r;
}

int tree_close_parents(struct tree *tree, struct err *err)
{
	int r = 0;

	for (int i = 1; i < TREE_PARENTS; i++)
		if (tree->parents[i].path && r == 0)
			r = close_parent(&tree->parents[i], err);
	tree->last = &tree->parents[0];
	return r;
}

void tree_forget_written(struct tree *tree)
{
	for (int i = 1; i < TREE_PARENTS; i++) {
		free(tree->parents[i].written);
		tree->parents[i].written = NULL;
	}
}

struct tree_parent *tree_kept(struct tree *tree, const char *path)
{
	for (int i = 0; i < TREE_PARENTS; i++)
		if (tree->parents[i].path && strcmp(tree->parents[i].path, path) == 0)
			return &tree->parents[i];
	return NULL;
}

/* Keep an opened directory in the place of the one used longest ago, which is not `but`. */
static int keep(struct tree *tree, const struct tree_parent *but, char **path, int *fd,
		struct tree_parent **out, struct err *err)
{
	struct tree_parent *oldest = NULL;
	int r = 0;

	for (int i = 1; i < TREE_PARENTS; i++) {
		struct tree_parent *parent = &tree->parents[i];

		if (parent != but && (!oldest || parent->last_used < oldest->last_used))
			oldest = parent;
	}
	if (oldest->path)
		r = close_parent(oldest, err);
	if (r < 0)
		return r;
	*oldest = (struct tree_parent){ .path = STEAL_PTR(*path), .fd = STEAL_FD(*fd) };
	oldest->last_used = ++tree->clock;
	*out = oldest;
	return 0;
}

/* --- one step --- */

static int check_path(const struct tree *tree, const char *path, struct err *err)
{
	int64_t depth = 1;

	for (const char *at = path; *at; at++)
		depth += *at == '/';
	if ((int64_t)strlen(path) > tree->limits.path_bytes)
		return err_set(err, ERR_INVALID, ENAMETOOLONG,
			       "its directory's name is longer than the limit of %lld bytes",
			       (long long)tree->limits.path_bytes);
	if (depth > tree->limits.depth)
		return err_set(err, ERR_INVALID, ENAMETOOLONG,
			       "its directory is nested deeper than the limit of %lld",
			       (long long)tree->limits.depth);
	return 0;
}

static int open_dir(int dir, const char *leaf)
{
	return openat(dir, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Make the directory that no entry has named. `kind`: what is to be told of it. */
static int make_implicit(struct tree *tree, struct tree_parent *in, const char *leaf, char **path,
			 enum mark_kind kind, struct tree_parent **out, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r = touch(in, err);

	if (r == 0)
		r = tree_mark(tree, *path, kind, err);
	if (r < 0)
		return r;
	if (tree->implicit++ == tree->limits.implicit)
		return err_set(err, ERR_INVALID, EFBIG,
			       "the archive has more than the limit of %lld entries",
			       (long long)tree->limits.implicit);
	if (mkdirat(in->fd, leaf, IMPLICIT_MODE) < 0 || (fd = open_dir(in->fd, leaf)) < 0)
		return tree_failed(err, errno, "cannot create its directory");
	if (in->setgid && (fchown(fd, tree->uid, tree->gid) < 0 || fchmod(fd, IMPLICIT_MODE) < 0))
		return tree_failed(err, errno, "cannot create its directory");
	r = keep(tree, in, path, &fd, out, err);
	/* Its time is set, to 1970-01-01, when it is closed. */
	if (r == 0)
		(*out)->touched = true;
	return r;
}

/* What is in the way of going into `leaf`: a whiteout gives way, a symlink is read into *target. */
static int look_at_obstacle(struct tree *tree, struct tree_parent *in, const char *leaf,
			    bool create, char **path, char **target, struct tree_parent **out,
			    struct err *err)
{
	char link[PATH_MAX];
	struct stat st;
	ssize_t len;

	if (fstatat(in->fd, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_failed(err, errno, "cannot open its directory");
	if (S_ISCHR(st.st_mode) && st.st_rdev == 0 && create) {
		if (unlinkat(in->fd, leaf, 0) < 0)
			return err_sys(err, errno, "cannot replace what was there before");
		return make_implicit(tree, in, leaf, path, MARK_OPAQUE, out, err);
	}
	if (!S_ISLNK(st.st_mode))
		return tree_failed(err, ENOTDIR, "cannot open its directory");
	len = readlinkat(in->fd, leaf, link, sizeof(link));
	if (len < 0)
		return tree_failed(err, errno, "cannot open its directory");
	*target = strndup(link, (size_t)len);
	return *target ? 0 : err_sys(err, ENOMEM, "cannot open its directory");
}

/* Go from *dir into `leaf`: *dir is that then, or *target is set to what the symlink there says. */
static int enter(struct tree *tree, struct tree_parent **dir, const char *leaf, bool create,
		 char **target, struct err *err)
{
	AUTO_FREE char *path = tree_join((*dir)->path, leaf, strlen(leaf));
	struct tree_parent *kept;
	AUTO_CLOSE int fd = -1;
	int r;

	if (!path)
		return err_sys(err, ENOMEM, "cannot open its directory");
	kept = tree_kept(tree, path);
	if (kept) {
		kept->last_used = ++tree->clock;
		*dir = kept;
		return 0;
	}
	r = check_path(tree, path, err);
	if (r < 0)
		return r;
	fd = open_dir((*dir)->fd, leaf);
	if (fd >= 0)
		return keep(tree, *dir, &path, &fd, dir, err);
	if (errno == ENOENT && create)
		return make_implicit(tree, *dir, leaf, &path, MARK_IMPLICIT, dir, err);
	if (errno == ENOTDIR || errno == ELOOP)
		return look_at_obstacle(tree, *dir, leaf, create, &path, target, dir, err);
	return tree_failed(err, errno, "cannot open its directory");
}

/* For ".." in the target of a symlink. The root is its own parent. */
static int leave(struct tree *tree, struct tree_parent **dir, struct err *err)
{
	const char *slash = strrchr((*dir)->path, '/');
	AUTO_FREE char *path = strndup((*dir)->path, slash ? (size_t)(slash - (*dir)->path) : 0);
	struct tree_parent *kept = path ? tree_kept(tree, path) : NULL;
	AUTO_CLOSE int fd = -1;

	if (!path)
		return err_sys(err, ENOMEM, "cannot open its directory");
	if (kept) {
		*dir = kept;
		return 0;
	}
	fd = tree_open_beneath(tree->parents[0].fd, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return tree_failed(err, -fd, "cannot open its directory");
	return keep(tree, *dir, &path, &fd, dir, err);
}

/* --- the way --- */

/* The open directory that is the most of `path` as it is written. *rest: what follows. */
static struct tree_parent *begin(struct tree *tree, const char *path, const char **rest)
{
	struct tree_parent *best = &tree->parents[0];
	size_t most = 0;

	for (int i = 1; i < TREE_PARENTS; i++) {
		struct tree_parent *parent = &tree->parents[i];
		size_t len = parent->path ? strlen(parent->path) : 0;

		if (len > most && strncmp(parent->path, path, len) == 0 &&
		    (path[len] == '/' || path[len] == '\0')) {
			best = parent;
			most = len;
		}
	}
	best->last_used = ++tree->clock;
	*rest = path + most;
	return best;
}

/* TARGET/REST. */
static int follow(char **way, const char *rest, const char *target, struct err *err)
{
	char *joined = tree_join(target, rest, strlen(rest));

	if (!joined)
		return err_sys(err, ENOMEM, "cannot open its directory");
	free(*way);
	*way = joined;
	return 0;
}

int tree_walk(struct tree *tree, const char *path, bool create, struct tree_parent **dir,
	      struct err *err)
{
	AUTO_FREE char *way = strdup(path);
	const char *at;
	int links = 0;

	if (!way)
		return err_sys(err, ENOMEM, "cannot open its directory");
	*dir = begin(tree, way, &at);
	while (at += strspn(at, "/"), *at) {
		size_t len = strcspn(at, "/");
		AUTO_FREE char *leaf = strndup(at, len);
		AUTO_FREE char *target = NULL;
		int r = 0;

		at += len;
		if (!leaf)
			return err_sys(err, ENOMEM, "cannot open its directory");
		if (strcmp(leaf, "..") == 0)
			r = leave(tree, dir, err);
		else if (strcmp(leaf, ".") != 0)
			r = enter(tree, dir, leaf, create, &target, err);
		if (r == 0 && target && ++links > MAX_LINKS)
			return tree_failed(err, ELOOP, "cannot open its directory");
		if (r == 0 && target && target[0] == '/')
			*dir = &tree->parents[0];
		if (r == 0 && target)
			r = follow(&way, at, target, err);
		if (r < 0)
			return r;
		if (target)
			at = way;
	}
	return 0;
}

static bool was_written(const struct tree_parent *dir, const char *path, size_t len)
{
	return dir->written && strncmp(dir->written, path, len) == 0 && !dir->written[len];
}

int tree_walk_to_parent(struct tree *tree, const char *path, bool create, struct tree_parent **dir,
			const char **leaf, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	AUTO_FREE char *written = NULL;
	int r;

	*leaf = slash ? slash + 1 : path;
	*dir = &tree->parents[0];
	if (!slash)
		return 0;
	for (int i = 1; i < TREE_PARENTS; i++)
		if (was_written(&tree->parents[i], path, len)) {
			*dir = &tree->parents[i];
			(*dir)->last_used = ++tree->clock;
			return 0;
		}
	written = strndup(path, len);
	if (!written)
		return err_sys(err, ENOMEM, "cannot open its directory");
	r = tree_walk(tree, written, create, dir, err);
	if (r < 0)
		return r;
	free((*dir)->written);
	(*dir)->written = STEAL_PTR(written);
	return 0;
}

int tree_walk_to_change(struct tree *tree, const char *path, struct tree_parent **dir,
			const char **leaf, struct err *err)
{
	int r;

	if (path[0] == '\0')
		return err_set(err, ERR_INVALID, EINVAL, "the root itself has to be a directory");
	r = tree_walk_to_parent(tree, path, true, dir, leaf, err);
	if (r == 0)
		r = touch(*dir, err);
	tree->last = *dir;
	return r;
}
