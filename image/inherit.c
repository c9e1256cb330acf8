/* SPDX-License-Identifier: Apache-2.0 */
#include "image/inherit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/tree_path.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define ATTRIBUTES_MAX (64u << 10) /* XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h */

static bool is_opaque(int dir)
{
	char value;

	return fgetxattr(dir, MARKS_OPAQUE_ATTRIBUTE, &value, 1) == 1 && value == 'y';
}

/*
 * What the layer `root` says of `path`. 1: *found is the directory there. 0: nothing, the layer
 * below is to be asked. -ENOTDIR: that there is none, whatever is below.
 */
static int look_up(int root, const char *path, int *found)
{
	AUTO_CLOSE int dir = -1;
	bool opaque = false;

	for (size_t len = 0;; len += strcspn(path + len, "/")) {
		AUTO_FREE char *part = strndup(path, len);
		int fd = part ? tree_open_beneath(root, part, O_RDONLY | O_DIRECTORY) : -ENOMEM;

		/* A whiteout, a file or a symlink. */
		if (fd == -ENOTDIR || fd == -ELOOP)
			return -ENOTDIR;
		if (fd == -ENOENT)
			return opaque ? -ENOTDIR : 0;
		if (fd < 0)
			return fd;
		cleanup_close(&dir);
		dir = fd;
		if (path[len] == '\0') {
			*found = STEAL_FD(dir);
			return 1;
		}
		opaque = opaque || is_opaque(dir);
		len += path[len] == '/';
	}
}

static int copy_attribute(int from, int to, const char *name, struct err *err)
{
	AUTO_FREE char *value = malloc(ATTRIBUTES_MAX);
	ssize_t len = value ? fgetxattr(from, name, value, ATTRIBUTES_MAX) : -1;

	if (len < 0 || fsetxattr(to, name, value, (size_t)len, 0) < 0)
		return err_sys(err, value ? errno : ENOMEM, "cannot copy the attribute %s", name);
	return 0;
}

static int copy_attributes(int from, int to, bool *any, struct err *err)
{
	AUTO_FREE char *names = malloc(ATTRIBUTES_MAX);
	ssize_t len = names ? flistxattr(from, names, ATTRIBUTES_MAX) : -1;

	if (len < 0) {
		if (names && errno == ENOTSUP)
			return 0;
		return err_sys(err, names ? errno : ENOMEM, "cannot list attributes");
	}
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		int r;

		if (!tree_keeps_attribute(name))
			continue;
		r = copy_attribute(from, to, name, err);
		if (r < 0)
			return r;
		*any = true;
	}
	return 0;
}

static int copy(int from, int to, bool *changed, struct err *err)
{
	struct stat theirs, ours;
	bool any = false;
	int r;

	if (fstat(from, &theirs) < 0 || fstat(to, &ours) < 0)
		return err_sys(err, errno, "cannot look at the directory");
	r = copy_attributes(from, to, &any, err);
	if (r < 0)
		return r;
	if (!any && theirs.st_mode == ours.st_mode && theirs.st_uid == ours.st_uid &&
	    theirs.st_gid == ours.st_gid && theirs.st_mtim.tv_sec == ours.st_mtim.tv_sec &&
	    theirs.st_mtim.tv_nsec == ours.st_mtim.tv_nsec)
		return 0;
	*changed = true;
	if (fchown(to, theirs.st_uid, theirs.st_gid) < 0 || fchmod(to, theirs.st_mode & 07777) < 0)
		return err_sys(err, errno, "cannot set owner and mode");
	if (futimens(to, (struct timespec[]){ theirs.st_mtim, theirs.st_mtim }) < 0)
		return err_sys(err, errno, "cannot set the time");
	return 0;
}

static int inherit(int tree_fd, const char *path, const int *lowers, size_t nlowers, bool *changed,
		   struct err *err)
{
	for (size_t i = 0; i < nlowers; i++) {
		AUTO_CLOSE int from = -1;
		AUTO_CLOSE int to = -1;
		int r = look_up(lowers[i], path, &from);

		if (r == 0)
			continue;
		if (r == -ENOTDIR)
			return 0;
		if (r < 0)
			return err_sys(err, -r, "cannot look it up in the layers below");
		to = tree_open_beneath(tree_fd, path, O_RDONLY | O_DIRECTORY);
		if (to < 0)
			return err_sys(err, -to, "cannot open the directory");
		return copy(from, to, changed, err);
	}
	return 0;
}

/* --- an opaque root --- */

/* That `name` of a layer below does not show. */
static int cover(int tree_fd, const char *name, struct err *err)
{
	struct stat st;

	if (fstatat(tree_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(st.st_mode) ? mark_opaque(tree_fd, name, err) : 0;
	/* Of a fixed time, as what no entry names: the same tree whenever it is made. */
	if (errno != ENOENT || mknodat(tree_fd, name, S_IFCHR, 0) < 0 ||
	    utimensat(tree_fd, name, (struct timespec[2]){ 0 }, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot make a whiteout");
	return 0;
}

static int cover_layer(int tree_fd, int lower, bool *any, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(lower, ".");
	const struct dirent *entry;

	if (!dir)
		return err_sys(err, errno, "cannot read the root of a layer below");
	while ((entry = fd_readdir(dir))) {
		int r = cover(tree_fd, entry->d_name, err);

		if (r < 0)
			return err_wrap(err, "%s", entry->d_name), r;
		*any = true;
	}
	return errno ? err_sys(err, errno, "cannot read the root of a layer below") : 0;
}

static int cover_layers(int tree_fd, const int *lowers, size_t nlowers, bool *any, struct err *err)
{
	struct stat root;
	int r = 0;

	if (!is_opaque(tree_fd))
		return 0;
	if (fstat(tree_fd, &root) < 0)
		return err_sys(err, errno, "cannot look at the root");
	for (size_t i = 0; r == 0 && i < nlowers; i++)
		r = cover_layer(tree_fd, lowers[i], any, err);
	if (r == 0 && futimens(tree_fd, (struct timespec[]){ root.st_mtim, root.st_mtim }) < 0)
		return err_sys(err, errno, "cannot set the time of the root");
	return r;
}

bool inherit_needed(const struct marks *marks)
{
	return marks->nimplicit > 0 || marks->opaque_root;
}

int inherit_directories(int tree_fd, char *const *implicit, const int *lowers, size_t nlowers,
			const struct interrupt *interrupt, bool *changed, struct err *err)
{
	bool any = false;
	int r = cover_layers(tree_fd, lowers, nlowers, &any, err);

	for (; r == 0 && *implicit; implicit++) {
		/* There may be a million of them. */
		if (interrupt && interrupt_poll(interrupt, -1, 0, 0, err) < 0)
			return err_code(err);
		r = inherit(tree_fd, *implicit, lowers, nlowers, &any, err);
		if (r < 0)
			err_wrap(err, "%s", *implicit);
	}
	if (r == 0)
		*changed = any;
	return r;
}
