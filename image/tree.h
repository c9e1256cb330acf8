/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TREE_H
#define CMAN_IMAGE_TREE_H

/*
 * Files made beneath a directory as an archive tells, with few system calls for each. Paths are
 * resolved with that directory as root (openat2, RESOLVE_IN_ROOT): a parent may be a symlink of
 * the archive, as in a merged /usr, but none leads out. A later entry replaces an earlier one.
 * Modes and times of directories are set at the end, because files put into them would change
 * them again. The caller's umask has to be 0.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "store/base/err.h"

#define TREE_PARENTS 8

struct tree_parent {
	char *path;
	int fd;
	unsigned last_used;
};

struct tree_dir {
	char *path;
	mode_t mode;
	struct timespec mtime;
};

struct tree {
	int root_fd;
	struct tree_parent parents[TREE_PARENTS]; /* directories used last, opened */
	unsigned clock;
	struct tree_dir *dirs; /* whose modes and times are to be set */
	size_t ndirs;
	size_t dirs_room;
};

/* What an entry is. `path` and `target` (of a hard link) as tree_clean_path() gives them. */
struct tree_entry {
	const char *path;
	mode_t mode; /* permission bits with set-ID and sticky bits */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
};

#define AUTO_TREE __attribute__((cleanup(tree_release)))
void tree_release(struct tree *tree);

/* `root_fd` stays the caller's. */
void tree_init(struct tree *tree, int root_fd);

/*
 * The path of an entry, relative to the root: without leading slashes, ".", and doubled slashes; ""
 * is the root itself. ERR_INVALID for one that is empty, too long, or has a ".." component.
 */
int tree_clean_path(const char *path, char out[PATH_MAX], struct err *err);

/*
 * Open what is at `path` ("": the root) beneath `root_fd`, of any length, following no symlink;
 * `flags` as for open(2), O_CLOEXEC is added. Returns the descriptor or -errno. openat2(2).
 */
int tree_open_beneath(int root_fd, const char *path, int flags);

/*
 * Whether an extended attribute is part of an image: security.capability and user.*, but not
 * user.overlay.*, which has a meaning for overlayfs.
 */
bool tree_keeps_attribute(const char *name);

/* Functions below fail with ERR_SYS; the text does not name the entry. */

int tree_make_dir(struct tree *tree, const struct tree_entry *entry, struct err *err);
/*
 * Create a regular file for writing; tree_finish_file() gives it owner, mode and time, and closes
 * it.
 */
int tree_make_file(struct tree *tree, const struct tree_entry *entry, int *fd, struct err *err);
int tree_finish_file(const struct tree_entry *entry, int fd, struct err *err);
int tree_make_symlink(struct tree *tree, const struct tree_entry *entry, const char *target,
		      struct err *err);
int tree_make_hardlink(struct tree *tree, const char *path, const char *target, struct err *err);
/* `type`: S_IFIFO, S_IFCHR or S_IFBLK. */
int tree_make_node(struct tree *tree, const struct tree_entry *entry, mode_t type, dev_t device,
		   struct err *err);
/* Open what is there (a directory just made) to set attributes of. */
int tree_open_dir(struct tree *tree, const char *path, int *fd, struct err *err);

/* Set modes and times of directories. Nothing may be made afterwards. */
int tree_finish(struct tree *tree, struct err *err);

#endif
