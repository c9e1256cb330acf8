/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_STORE_H
#define CMAN_STORE_STORE_H

/*
 * An opened state directory: everything cman keeps. Two roots never meet.
 *
 *   <root>/cman.db  blobs/sha256/<hex>  layers/<tree>/  tmp/  containers/<id>/  volumes/<name>/
 *           reserve
 *   <run>/          run-time files, gone after a reboot (default /run/cman; <root>/run with --root)
 */

#include <stdbool.h>

#include "store/base/err.h"

struct sqlite3;
struct sqlite3_stmt;

#define STORE_EXPECTED 8

struct store {
	struct sqlite3 *db; /* NULL: store_close_db() */
	char *root;	    /* absolute path */
	char *run;	    /* absolute path */
	int root_fd;
	int run_fd;
	int containers_fd;
	int layers_fd;
	int blobs_fd; /* blobs/sha256 */
	int tmp_fd;
	struct sqlite3_stmt *expected[STORE_EXPECTED]; /* expected.h */
};

#define STORE_INIT                                                                                 \
	{                                                                                          \
		.root_fd = -1, .run_fd = -1, .containers_fd = -1, .layers_fd = -1, .blobs_fd = -1, \
		.tmp_fd = -1                                                                       \
	}
#define AUTO_STORE __attribute__((cleanup(store_close)))

/*
 * Open (and on first use create, mode 0700) the state directory. `root` NULL means CMAN_ROOT's
 * absence: /var/lib/cman with /run/cman. Migrates the schema by user_version; a database of a newer
 * cman is refused by name of both versions. Costs no fsync on an existing root. ERR_SYS with EACCES
 * for somebody without permission (hint: run as root), ENOSPC named as such, ERR_CORRUPT when
 * SQLite says that the file is not a database.
 */
#define STORE_DEFAULT_ROOT "/var/lib/cman"
int store_open(const char *root, struct store *out, struct err *err);
void store_close(struct store *store);

/*
 * The same in two steps, for who has something to do before the database is needed: what it costs
 * most is to read that. Between them no function may be called that asks it. store_open_db() is
 * nothing where it is open.
 */
int store_open_files(const char *root, struct store *out, struct err *err);
int store_open_db(struct store *store, struct err *err);

/*
 * Give the database back and keep all else, for who will ask nothing of it for long: every open one
 * makes the locks of all other processes slower, and takes memory. Until it is open again, no
 * function may be called that asks it; store_maintain() then does nothing.
 *
 * store_reopen_db() is nothing where it is open. It migrates nothing, whatever has become of the
 * schema meanwhile, as would one that was never closed. On a full disk the reserve is spent on it.
 * After a failure it is as before, and may be tried again.
 */
void store_close_db(struct store *store);
int store_reopen_db(struct store *store, struct err *err);

/*
 * Of what failed to be written: where the disk, or one's share of it, is full, the hint where there
 * has to be room. Gives the number that `err` has.
 */
int store_hint_room(const struct store *store, struct err *err);

/*
 * Make durable all that was written so far on the store's file system, by whatever process: one
 * syncfs(2) for any number of layers and blobs, before they get their names. Any thread.
 */
int store_sync(struct store *store, struct err *err);

/*
 * While *fd is open, nothing that is in the store goes away because no image names it yet: blobs
 * and layers that were found present or were committed stay until image_put() names them. For those
 * who make images or hand them out, from before they look what is there. Any number of processes
 * hold at once. Waits for who takes things away, which takes milliseconds, and for a repair by
 * fsck, which may take minutes: signals should be able to end the process.
 */
int store_hold(struct store *store, int *fd, struct err *err);

/*
 * Keep the database quick to open: when its write-ahead log has grown, move that into the database
 * and make it durable. Costs next to nothing when there is nothing to do and a few fsyncs
 * (milliseconds) when there is, so it is called where nobody waits: by the monitor after it has
 * told the end of its container. Where nobody ever calls it, every few hundredth write does it at
 * last.
 */
int store_maintain(struct store *store, struct err *err);

#endif
