/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_VOLUMES_H
#define CMAN_STORE_VOLUMES_H

/*
 * Volumes: directories that outlive containers. A record in `volume`, who has it in
 * `container_volume`, and on disk
 *
 *	volumes/<name>/_data	what containers see; owner and mode are those of the image's
 *	volumes/<name>/draft	what it is being filled with (manager/volume_fill.h): whole, but not
 *				all of it was moved to _data yet
 *	volumes/.gone-<16 hex digits>-<name>	one that is being removed
 *
 * Rows and directories change under the database's write lock: a directory is made before its row
 * is committed, and renamed to .gone- before its row is deleted. So a kill leaves an empty
 * directory without a row, or a .gone- one: with a row it is put back, without one it is removed,
 * by volumes_sweep(). What is not empty and has no row was never removed by anybody (a database was
 * lost): it is left alone, fsck names it, and who creates a volume of that name has it again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/containers.h"

struct store;

#define VOLUME_NAME_MAX 128
#define VOLUMES_DIR "volumes"
#define VOLUME_DATA "_data"
#define VOLUME_DRAFT "draft"

struct volume_record {
	char *name; /* [a-zA-Z0-9][a-zA-Z0-9_.-]* */
	int64_t created_ns;
	bool anonymous; /* made for one container; its name is 64 hex digits */
	bool filled;	/* from an image: never again */
	char *labels;	/* JSON object of strings; NULL where there are none */
	char *options;	/* likewise: those of Docker's local driver, type, o, device */
	int64_t containers;
};

#define VOLUME_RECORD_INIT \
	{                  \
		0          \
	}
#define AUTO_VOLUME_RECORD __attribute__((cleanup(volume_record_release)))
void volume_record_release(struct volume_record *record);

bool volume_name_is_valid(const char *name);

/*
 * name, anonymous, labels and options of `record`, with its directories. *created: false where it
 * was there already: then nothing of `record` counts.
 */
int volume_create(struct store *store, const struct volume_record *record, bool *created,
		  struct err *err);

/* ERR_NOT_FOUND "no such volume: X". */
int volume_find(struct store *store, const char *name, struct volume_record *out, struct err *err);

/* By name. A visitor's non-zero return ends the walk and is returned. Visitors may not write. */
typedef int volume_visit(const struct volume_record *record, void *data, struct err *err);
int volume_each(struct store *store, volume_visit *visit, void *data, struct err *err);

/* With all that is in it. ERR_NOT_FOUND; ERR_STATE naming the containers that have it. */
int volume_remove(struct store *store, const char *name, struct err *err);

/* It has been filled. */
int volume_set_filled(struct store *store, const char *name, struct err *err);

/* volumes/<name>, and that with _data below it as an absolute path (to be freed). */
int volume_dir_open(struct store *store, const char *name, int *dir_fd, struct err *err);
int volume_data_path(const struct store *store, const char *name, char **out, struct err *err);

/* --- containers and their volumes --- */

struct volume_use {
	struct volume_record volume; /* owned; its labels and options are for one that is new */
	char *destination;	     /* owned; the path inside */
	bool fill;		     /* with what the image has there (manager/volume_fill.h) */
	bool created;		     /* set by container_insert_with_volumes(): it is new */
};

void volume_uses_release(struct volume_use *uses, size_t n);

/* container_insert(), and its volumes, which come to be where they are missing: all or nothing. */
int container_insert_with_volumes(struct store *store, const struct container_record *record,
				  struct volume_use *uses, size_t n, struct err *err);

/*
 * container_delete_ended(); with `anonymous`, its anonymous volumes that no other container has go
 * with it.
 */
int container_delete_with_volumes(struct store *store, const struct container_record *ended,
				  bool anonymous, struct err *err);

/* Finish, or take back, what was interrupted. Goes on after a failure and tells the first. */
int volumes_sweep(struct store *store, struct err *err);

/*
 * Whether the directory volumes/<name> is one that a killed creation left: nothing is in it. -errno
 * where that cannot be told.
 */
int volume_dir_is_empty(int volumes_fd, const char *name);

/* volumes/, made where it is missing. */
int volumes_open(struct store *store, int *fd, struct err *err);

/*
 * The name of the volume in ".gone-…-NAME"; NULL where `entry` is not called so.
 */
const char *volume_gone_name(const char *entry);

#endif
