/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/tree_walk.h"
#include "store/base/cleanup.h"

int tree_make_opaque(struct tree *tree, const char *path, struct err *err)
{
	struct tree_parent *dir;
	int r = tree_walk(tree, path, true, &dir, err);

	return r < 0 ? r : tree_mark(tree, dir->path, MARK_OPAQUE, err);
}

int tree_make_whiteout(struct tree *tree, const struct tree_entry *entry, struct err *err)
{
	const struct timespec times[2] = { entry->mtime, entry->mtime };
	struct tree_parent *dir;
	AUTO_FREE char *path = NULL;
	const char *leaf;
	struct stat st;
	int r = tree_walk_to_change(tree, entry->path, &dir, &leaf, err);

	if (r < 0)
		return r;
	/* The one device that needs no privilege, mknod(2). */
	if (mknodat(dir->fd, leaf, S_IFCHR, 0) == 0) {
		if (utimensat(dir->fd, leaf, times, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, errno, "cannot set the time");
		return 0;
	}
	if (errno != EEXIST)
		return tree_failed(err, errno, "cannot make a whiteout");
	if (fstatat(dir->fd, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_failed(err, errno, "cannot make a whiteout");
	if (!S_ISDIR(st.st_mode))
		return 0;
	path = tree_join(dir->path, leaf, strlen(leaf));
	if (!path)
		return err_sys(err, ENOMEM, "cannot make a whiteout");
	/* What it could inherit is gone. */
	mark_set_drop(&tree->marks, path, MARK_IMPLICIT);
	return tree_mark(tree, path, MARK_OPAQUE, err);
}

/* --- the end --- */

static bool is_in(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return len == 0 || (strncmp(path, dir, len) == 0 && path[len] == '/');
}

static int tell_marks(struct tree *tree, struct buf *marks, struct err *err)
{
	const char *opaque = NULL; /* the outermost one that what follows may be in */

	mark_set_sort(&tree->marks);
	for (size_t i = 0; i < tree->marks.count; i++) {
		const struct mark_entry *entry = &tree->marks.entries[i];
		AUTO_CLOSE int dir = -1;

		if (!entry->opaque && !entry->implicit)
			continue;
		/* A later entry may have put something else in its place. */
		dir = tree_open_beneath(tree->parents[0].fd, entry->path, O_PATH | O_DIRECTORY);
		if (dir < 0)
			continue;
		if (opaque && !is_in(entry->path, opaque))
			opaque = NULL;
		/* In an opaque directory nothing shows of what is below. */
		if (entry->implicit && !opaque)
			marks_add(marks, MARK_IMPLICIT, entry->path);
		if (entry->opaque)
			marks_add(marks, MARK_OPAQUE, entry->path);
		if (entry->opaque && !opaque)
			opaque = entry->path;
	}
	return buf_failed(marks) ? err_sys(err, ENOMEM, "cannot remember the directories") : 0;
}

int tree_finish(struct tree *tree, struct buf *marks, struct err *err)
{
	struct tree_parent *root = &tree->parents[0];
	const struct timespec times[2] = { root->mtime, root->mtime };
	int r = tree_close_parents(tree, err);

	if (r == 0 && futimens(root->fd, times) < 0)
		return err_sys(err, errno, "cannot set the time of the root");
	return r < 0 ? r : tell_marks(tree, marks, err);
}
