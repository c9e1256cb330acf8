/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TREE_H
#define CMAN_IMAGE_TREE_H

/*
 * Files made beneath a directory as an archive tells, with few system calls for each. The parents
 * of an entry may be symlinks of the archive, as in a merged /usr: they are resolved here, one
 * component after the other, with that directory as root, so that none leads out and no path is
 * too long for the kernel. A later entry replaces an earlier one. Directories that an archive does
 * not name are made 0755, of the unpacking user and of 1970-01-01. The caller's umask has to be 0,
 * and nobody else may write into the tree meanwhile.
 *
 * What was put into a directory changes its time of modification. It is set again when the
 * directory has not been used for a while, so that any number of them needs no memory.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "image/mark_set.h"
#include "image/tree_path.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#define TREE_PARENTS 16

/* A directory that entries are made in, kept open. */
struct tree_parent {
	char *path;    /* from the root, without symlinks; "": the root; NULL: the place is free */
	char *written; /* how entries wrote it, where that is known */
	int fd;
	unsigned last_used;
	bool touched; /* something was made in it, and what follows is known */
	bool setgid;  /* what is made in it gets its group */
	struct timespec mtime;
};

struct tree {
	struct tree_limits limits;
	uid_t uid; /* who unpacks */
	gid_t gid;
	struct tree_parent parents[TREE_PARENTS]; /* the first is the root and stays */
	struct tree_parent *last;		  /* that something was made in */
	unsigned clock;
	struct mark_set marks;
	int64_t implicit; /* made so far */
};

/* What an entry is. `path` as tree_clean_path() gives it. */
struct tree_entry {
	const char *path;
	mode_t mode; /* permission bits with set-ID and sticky bits */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
};

/* Harmless for one that is all zeros. */
void tree_release(struct tree *tree);

/* `root_fd` stays the caller's. */
int tree_init(struct tree *tree, int root_fd, const struct tree_limits *limits, struct err *err);

/* Functions below fail with ERR_SYS, or ERR_INVALID; the text does not name the entry. */

int tree_make_dir(struct tree *tree, const struct tree_entry *entry, struct err *err);
/*
 * Create a regular file for writing; tree_finish_file(), before anything else is made, gives it
 * owner, mode and time.
 */
int tree_make_file(struct tree *tree, const struct tree_entry *entry, int *fd, struct err *err);
int tree_finish_file(const struct tree *tree, const struct tree_entry *entry, int fd,
		     struct err *err);
int tree_make_symlink(struct tree *tree, const struct tree_entry *entry, const char *target,
		      struct err *err);
int tree_make_hardlink(struct tree *tree, const char *path, const char *target, struct err *err);
/* `type`: S_IFIFO, S_IFCHR or S_IFBLK. */
int tree_make_node(struct tree *tree, const struct tree_entry *entry, mode_t type, dev_t device,
		   struct err *err);
/* Open what is there (a directory just made) to set attributes of. */
int tree_open_dir(struct tree *tree, const char *path, int *fd, struct err *err);

#endif
