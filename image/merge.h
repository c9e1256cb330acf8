/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_MERGE_H
#define CMAN_IMAGE_MERGE_H

/*
 * An archive into a tree that is in use, such as that of a container that runs: files are added
 * and replaced, nothing else is removed. Processes in there may do what they like to it meanwhile:
 * directories are resolved with the tree's root for "/" (openat2(2), RESOLVE_IN_ROOT), what is made
 * is made by its last name in the directory so found, and no symlink there is ever followed; so
 * owners, modes and times are given to what was made and to nothing else. Names are names:
 * whiteouts mean nothing here. A file takes the place of another one in one step when it is whole.
 * A directory is never replaced by what is none, nor the other way round. For image/unpack.c.
 */

#include <stddef.h>
#include <time.h>

#include "image/tar_check.h"
#include "image/unpack.h"
#include "store/base/buf.h"
#include "store/base/err.h"

struct archive_entry;
struct unpack;

/* A directory whose time is set when all is in it. */
struct merge_dir {
	char *path;
	struct timespec mtime;
};

struct merge {
	int root; /* the caller's */
	const struct unpack_job *job;
	char *dir_path; /* of the directory that was used last; NULL: none */
	int dir;
	struct merge_dir *dirs;
	size_t ndirs;
	struct buf name, path, target;
};

/* Harmless for one that is all zeros. */
void merge_release(struct merge *merge);
int merge_init(struct merge *merge, int root_fd, const struct unpack_job *job, struct err *err);

/* As unpack_entry(). */
int merge_entry(struct unpack *unpack, struct archive_entry *entry, const struct tar_entry *header,
		const char *name, struct err *err);

/* Times of directories. Those that are gone, or something else by now, are passed over. */
void merge_finish(struct merge *merge);

#endif
