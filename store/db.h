/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_DB_H
#define CMAN_STORE_DB_H

/*
 * SQLite as the store uses it: statements with their arguments in one call, results as struct err.
 * Only files of store/ include this; nothing above the store sees SQL.
 *
 * Errors: ERR_EXISTS (EEXIST) for a value that has to be unique and is not; ERR_NOT_FOUND (ENOENT)
 * for a reference to a row that is not there; ERR_CORRUPT (EBADMSG) where the file is damaged or is
 * none of SQLite's; ERR_SYS with the errno otherwise: ENOSPC, EROFS, EACCES, EBUSY when another
 * process held its lock for longer than DB_BUSY_LIMIT_MS.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

#define DB_BUSY_LIMIT_MS 30000

/* "cman" in ASCII: file(1) and others tell by it whose database it is. */
#define DB_APPLICATION_ID "0x636d616e"

/*
 * The statement is finalised, and a transaction that was not committed rolled back, at scope end.
 */
#define AUTO_STMT __attribute__((cleanup(db_release_stmt)))
#define AUTO_TX __attribute__((cleanup(db_release_tx)))
void db_release_stmt(sqlite3_stmt **stmt);
void db_release_tx(sqlite3 **db);

/*
 * Open the file `path`; `flags` as for sqlite3_open_v2(), with SQLITE_OPEN_CREATE the file comes
 * to be with mode 0600. Waits for locks with back-off; never checkpoints on close, as that costs
 * two fsyncs. WAL mode is the creator's to set.
 */
int db_open(const char *path, int flags, sqlite3 **out, struct err *err);
/*
 * Keep up to 2 MiB of the database in memory: for a walk that comes to the same pages again and
 * again. Else it is little, as every container's monitor has one.
 */
int db_keep_pages(sqlite3 *db, struct err *err);
/* NULL is allowed. */
void db_close(sqlite3 *db);

/*
 * This database grows in steps, and db_checkpoint() takes room on the disk for it and its WAL
 * ahead: with db_make_room() it can be written to for long after the disk is full, as nobody but it
 * has that room.
 */
void db_keep_room(sqlite3 *db);

/*
 * Copy what is in the WAL to the database, make it durable, and start the WAL anew, so that the
 * next process has little to recover and its first commit no header to sync. Takes fsyncs
 * (milliseconds): for when nobody waits. What other processes are busy with stays in the WAL: that
 * is no failure.
 */
int db_checkpoint(sqlite3 *db, struct err *err);

/*
 * On a full disk: copy what is in the WAL to the database, so that the WAL, which is not made
 * shorter by that, is written anew from its beginning, and takes no more room. Whether that was
 * done: then what failed may be tried again, once. Takes fsyncs.
 */
bool db_make_room(sqlite3 *db);

/*
 * Make durable what was committed so far, by whatever process: a commit alone outlives a kill, not
 * a power cut. One fsync of the WAL.
 */
int db_sync(sqlite3 *db, struct err *err);

/*
 * An argument of a statement. Text and bytes must stay until the statement is reset or finalised.
 */
struct db_arg {
	enum { DB_ARG_END, DB_ARG_INT, DB_ARG_TEXT, DB_ARG_BLOB } type;
	int64_t number;
	const void *data;
	size_t len;
};
#define DB_INT(value) ((struct db_arg){ .type = DB_ARG_INT, .number = (int64_t)(value) })
#define DB_TEXT(text) ((struct db_arg){ .type = DB_ARG_TEXT, .data = (text) }) /* NULL: null */
#define DB_BLOB(bytes, size) \
	((struct db_arg){ .type = DB_ARG_BLOB, .data = (bytes), .len = (size) })
#define DB_ARGS(...) ((const struct db_arg[]){ __VA_ARGS__, { .type = DB_ARG_END } })

/* One or more statements without arguments or results. */
int db_exec(sqlite3 *db, const char *sql, struct err *err);
/* Prepare one statement and bind `args` (NULL: none) to ?1, ?2 … */
int db_prepare(sqlite3 *db, const char *sql, const struct db_arg *args, sqlite3_stmt **out,
	       struct err *err);
/* Bind anew, after sqlite3_reset(). */
int db_bind(sqlite3_stmt *stmt, const struct db_arg *args, struct err *err);
/* 1: there is a row, 0: done, negative: failed. */
int db_step(sqlite3_stmt *stmt, struct err *err);
/*
 * Prepare, bind, run to the end; by itself also on a full disk, if db_make_room(). Rows are
 * ignored.
 */
int db_run(sqlite3 *db, const char *sql, const struct db_arg *args, struct err *err);
/* The first column of the first row as a number; `missing` where there is no row. */
int db_query_int(sqlite3 *db, const char *sql, const struct db_arg *args, int64_t missing,
		 int64_t *out, struct err *err);
/* Append the first column of all rows, as texts, to a vector of them. Nulls are left out. */
int db_list_texts(sqlite3 *db, const char *sql, const struct db_arg *args, char ***out,
		  struct err *err);

/*
 * BEGIN IMMEDIATE; *tx becomes db until db_commit(). Never held across a fork, a mount or the
 * network. A single statement needs none.
 */
int db_begin(sqlite3 *db, sqlite3 **tx, struct err *err);
int db_commit(sqlite3 **tx, struct err *err);

/* A copy of a text column, NULL for null. */
int db_column_strdup(sqlite3_stmt *stmt, int column, char **out, struct err *err);
/* Into a fixed array; a longer text is ERR_CORRUPT. Null is "". */
int db_column_copy(sqlite3_stmt *stmt, int column, char *out, size_t size, struct err *err);

#endif
