/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_WANTED_MOUNTS_H
#define CMAN_MANAGER_WANTED_MOUNTS_H

/* What is mounted into a container because somebody asked for it: -v, --mount, --tmpfs … */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

enum container_mount_kind {
	MOUNT_OF_HOST,	 /* a file or directory of the host */
	MOUNT_OF_VOLUME, /* store/volumes.h */
	MOUNT_OF_MEMORY, /* an empty file system in memory */
};

/* "bind", "volume", "tmpfs": Docker's names. */
const char *container_mount_kind_name(enum container_mount_kind kind);

struct container_mount {
	enum container_mount_kind kind;
	char *source;	   /* absolute path on the host; name of the volume, NULL: a new one */
	char *destination; /* absolute path inside, never "/"; normal (path.h) once it is added */
	char *options;	   /* words of mount(8), comma separated, in full */
	char *subpath;	   /* of a volume, only this in it; NULL: all of it */
	bool nocopy;	   /* a new volume stays empty */
	bool shallow;	   /* what is mounted below the source keeps its attributes, ro or not */
	json_t *labels;	   /* of a volume that comes to be: an object of strings, or NULL */
	json_t *driver_options; /* likewise */
	char *path; /* what is really mounted, an absolute path on the host: see mount_plan.h */
};

#define CONTAINER_MOUNT_INIT \
	{                    \
		0            \
	}
#define AUTO_CONTAINER_MOUNT __attribute__((cleanup(container_mount_release)))
void container_mount_release(struct container_mount *mount);

struct wanted_mounts {
	struct container_mount *list;
	size_t n;
};

void wanted_mounts_release(struct wanted_mounts *mounts);

/* Append, with its destination in its one form; *mount is empty afterwards. */
int wanted_mounts_add(struct wanted_mounts *mounts, struct container_mount *mount, struct err *err);

/* Whether something is mounted at `path`, a normal one, itself. */
bool wanted_mounts_cover(const struct wanted_mounts *mounts, const char *path);

/*
 * Marks in the options of a spec's mount: what the engine needs to know, and what `inspect` and
 * --volumes-from read again. mount(8) leaves "x-" to programs.
 */
#define MOUNT_MARK_TYPE "x-cman.type="
#define MOUNT_MARK_NAME "x-cman.name="
/* The value of a mark among `options`, or NULL. */
const char *mount_mark(char *const *options, const char *mark);

#endif
