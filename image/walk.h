/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_WALK_H
#define CMAN_IMAGE_WALK_H

/*
 * A tree, entry by entry, sorted: a directory comes before what is in it, siblings are in the order
 * of the bytes of their names. No symlink is followed. The tree may be a container's work, of any
 * depth, and may change meanwhile; the number of open descriptors is bounded. A second tree can be
 * looked at side by side.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/base/buf.h"
#include "store/base/err.h"

#define WALK_WINDOW 32		    /* levels whose directories are held open */
#define WALK_NAMES_MAX (256u << 20) /* bytes of the names in one directory, which are sorted */

struct walk_dir;

struct walk {
	struct walk_dir *dirs; /* from the root down to where the walk is */
	size_t depth, room;
	struct buf path; /* of the entry given last */
	size_t path_max;
	size_t names_max;  /* WALK_NAMES_MAX */
	int roots[2];	   /* the tree, and the one beside it or -1 */
	bool begun, enter; /* the entry given last is a directory, and not to be passed over */
	int64_t vanished;  /* entries that were gone before they could be looked at */
};

struct walk_entry {
	const char *path; /* relative to the root; "" is the root itself */
	const char *name; /* in `dir`; "." for the root */
	int dir;	  /* the directory that holds it; lent until the next call */
	int beside;	  /* the directory in that place of the second tree; -1: none. Likewise */
	struct stat st;
};

#define AUTO_WALK __attribute__((cleanup(walk_release)))
void walk_release(struct walk *walk);

/*
 * Begin. `root` and `beside` (-1: none) are opened directories and stay the caller's. Paths of
 * `path_max` bytes and more (with NUL) end the walk with ERR_INVALID, and so does a directory whose
 * names take more than WALK_NAMES_MAX.
 */
int walk_begin(struct walk *walk, int root, int beside, size_t path_max, struct err *err);

/* The next entry: 1, 0 at the end, or a failure that names it. What vanishes is passed over. */
int walk_next(struct walk *walk, struct walk_entry *out, struct err *err);

/* Do not enter the directory that walk_next() gave last. */
void walk_skip(struct walk *walk);

/* The order in which a walk meets paths: <0, 0, >0. */
int walk_compare(const char *a, const char *b);

#endif
