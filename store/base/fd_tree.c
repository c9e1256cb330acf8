/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"

/*
 * The tree may be the work of a hostile container: a directory can be a million levels deep, and
 * somebody may go on changing it. So the walk keeps a bounded stack of open directories; a
 * directory that would be deeper is renamed up into the top one and met there again. It never goes
 * up by
 * "..", and enters each directory by a name that may neither be a symlink nor a mount point.
 */
#define MAX_LEVELS 48

/* How often a directory is read again because something was put into it meanwhile. */
#define MAX_PASSES 64

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#endif

struct level {
	DIR *dir;
	char name[NAME_MAX + 1]; /* in the level above */
	int passes;
};

struct removal {
	int parent; /* the directory that holds the whole tree */
	struct level levels[MAX_LEVELS];
	int depth;	      /* levels in use */
	unsigned long hoists; /* for the names of what is renamed up */
	bool hoisted;	      /* something was, since the top was last read from its start */
};

static int remove_fail(const char *name, int num, struct err *err)
{
	if (num == EXDEV || num == EBUSY) {
		err_set(err, ERR_STATE, num, "cannot remove %s: something is still mounted there",
			name);
		return err_hint(err, "end it: umount; what is left goes with the next removal");
	}
	return err_sys(err, num, "cannot remove %s", name);
}

static int open_no_xdev(int parent, const char *name, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, parent, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* chmod(2) of a directory that cannot be opened for reading: its path in /proc takes one. */
static int make_accessible(int parent, const char *name)
{
	AUTO_CLOSE int fd = -1;
	char path[32];
	int r = open_no_xdev(parent, name, O_PATH);

	if (r < 0)
		return r;
	fd = r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, 0700) < 0 ? -errno : 0;
}

/* unlinkat(2), once more with write permission where the directory lacks it. */
static int unlink_entry(int parent, const char *name, int flags)
{
	if (unlinkat(parent, name, flags) == 0 || errno == ENOENT)
		return 0;
	if (errno == EACCES && fchmod(parent, 0700) == 0 && unlinkat(parent, name, flags) == 0)
		return 0;
	return -errno;
}

/* Remove an entry by one call if it takes no more. 0, 1 for a directory with entries, -errno. */
static int remove_entry(int parent, const char *name, bool directory)
{
	int r = unlink_entry(parent, name, directory ? AT_REMOVEDIR : 0);

	/* The type was a hint, and what has the name may be another thing by now. */
	if (!directory && (r == -EISDIR || r == -EPERM)) {
		int first = r;

		r = unlink_entry(parent, name, AT_REMOVEDIR);
		if (r == -ENOTDIR)
			r = first;
	} else if (directory && r == -ENOTDIR) {
		r = unlink_entry(parent, name, 0);
	}
	return r == -ENOTEMPTY || r == -EEXIST ? 1 : r;
}

static int push_level(struct removal *rm, int parent, const char *name, struct err *err)
{
	struct level *level = &rm->levels[rm->depth];
	int fd = open_no_xdev(parent, name, O_RDONLY);

	if (fd == -EACCES && make_accessible(parent, name) == 0)
		fd = open_no_xdev(parent, name, O_RDONLY);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0; /* changed meanwhile: the next pass sees what it is now */
	if (fd < 0)
		return remove_fail(name, -fd, err);
	level->dir = fdopendir(fd);
	if (!level->dir) {
		int num = errno;

		close(fd);
		return remove_fail(name, num, err);
	}
	snprintf(level->name, sizeof(level->name), "%s", name);
	level->passes = 0;
	rm->depth++;
	return 0;
}

static void pop_level(struct removal *rm)
{
	closedir(rm->levels[--rm->depth].dir);
}

/* Rename a directory that is too deep into the top directory, where a later pass meets it. */
static int hoist(struct removal *rm, int parent, const char *name, struct err *err)
{
	int top = dirfd(rm->levels[0].dir);
	bool permitted = false;
	char up[64];

	for (;;) {
		snprintf(up, sizeof(up), ".cman-removing-%d-%lu", (int)getpid(), rm->hoists++);
		if (syscall(SYS_renameat2, parent, name, top, up, RENAME_NOREPLACE) == 0) {
			rm->hoisted = true;
			return 0;
		}
		if (errno == ENOENT)
			return 0;
		/* Its ".." is rewritten, so the directory itself must be writable, too. */
		if (errno == EACCES && !permitted && fchmod(parent, 0700) == 0 &&
		    make_accessible(parent, name) == 0)
			permitted = true;
		else if (errno != EEXIST)
			return remove_fail(name, errno, err);
	}
}

/* All entries of the deepest level were met: remove it, or read it again where that fails. */
static int finish_level(struct removal *rm, struct err *err)
{
	struct level *level = &rm->levels[rm->depth - 1];
	int parent = rm->depth > 1 ? dirfd(rm->levels[rm->depth - 2].dir) : rm->parent;
	int r = remove_entry(parent, level->name, true);

	if (r < 0)
		return remove_fail(level->name, -r, err);
	if (r == 0) {
		pop_level(rm);
		return 0;
	}
	if (rm->depth == 1 && rm->hoisted)
		rm->hoisted = false;
	else if (++level->passes >= MAX_PASSES)
		return remove_fail(level->name, ENOTEMPTY, err);
	rewinddir(level->dir);
	return 0;
}

static int remove_next(struct removal *rm, struct err *err)
{
	DIR *dir = rm->levels[rm->depth - 1].dir;
	const struct dirent *entry;
	int r;

	entry = fd_readdir(dir);
	if (!entry && errno)
		return remove_fail(rm->levels[rm->depth - 1].name, errno, err);
	if (!entry)
		return finish_level(rm, err);
	r = remove_entry(dirfd(dir), entry->d_name, entry->d_type == DT_DIR);
	if (r < 0)
		return remove_fail(entry->d_name, -r, err);
	if (r == 0)
		return 0;
	if (rm->depth == MAX_LEVELS)
		return hoist(rm, dirfd(dir), entry->d_name, err);
	return push_level(rm, dirfd(dir), entry->d_name, err);
}

int fd_remove_tree(int dirfd, const char *name, struct err *err)
{
	AUTO_FREE struct removal *rm = NULL;
	int r = remove_entry(dirfd, name, true);

	if (r < 0)
		return remove_fail(name, -r, err);
	if (r == 0)
		return 0;
	rm = calloc(1, sizeof(*rm));
	if (!rm)
		return remove_fail(name, ENOMEM, err);
	rm->parent = dirfd;
	r = push_level(rm, dirfd, name, err);
	while (r == 0 && rm->depth > 0)
		r = remove_next(rm, err);
	while (rm->depth > 0)
		pop_level(rm);
	return r;
}
