/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PLACE_H
#define CMAN_IMAGE_PLACE_H

/*
 * Where a path that a person wrote leads: the directory that holds it, and its name there. In the
 * tree of a container it is resolved with that tree's root for "/" (openat2(2), RESOLVE_IN_ROOT):
 * whatever symlinks the container makes, now or meanwhile, it stays in there.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "store/base/err.h"

struct place {
	int dir;	/* O_PATH, of the directory that holds it */
	char *dir_path; /* the way to it, as it was found */
	char *leaf;	/* "." where the path is "/", or ends in "." or ".." */
	bool there;	/* else there is nothing yet at `leaf` */
	struct stat st; /* where it is there */
};

#define PLACE_INIT         \
	{                  \
		.dir = -1, \
	}
#define AUTO_PLACE __attribute__((cleanup(place_release)))
void place_release(struct place *place);

/*
 * Find `path` in the tree whose root `root` is opened on; AT_FDCWD: on this host. A symlink at its
 * end is what is found, unless `follow` is set or a slash comes after it. Fails where a directory
 * on the way is missing, and with ENOTDIR where a slash comes after what is none. The text does not
 * name the path.
 */
int place_find(int root, const char *path, bool follow, struct place *out, struct err *err);

/* DIR/LEAF, or DIR where the leaf is "."; to be freed. NULL without memory. */
char *place_path(const struct place *place);

#endif
