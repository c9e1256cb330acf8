/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "store/base/cleanup.h"
#include "store/db.h"
#include "store/migrations.h"

/*
 * Pages of 1 KiB: a record takes a few hundred bytes, every page that a commit changes is
 * written whole, and the first to open reads all that was not yet checkpointed.
 */
#define PAGE_SIZE "1024"

static int64_t schema_version(void)
{
	int64_t n = 0;

	while (migrations[n])
		n++;
	return n;
}

static int read_version(sqlite3 *db, int64_t *version, struct err *err)
{
	int r = db_query_int(db, "PRAGMA user_version", NULL, 0, version, err);

	if (r < 0)
		return r;
	if (*version <= schema_version() && *version >= 0)
		return 0;
	err_set(err, ERR_UNSUPPORTED, EPROTONOSUPPORT,
		"%s has schema version %lld, and this cman knows versions up to %lld",
		sqlite3_db_filename(db, "main"), (long long)*version, (long long)schema_version());
	return err_hint(err, "a newer cman has used it: install that one");
}

static int run_migrations(sqlite3 *db, int64_t version, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	char set_version[48];
	int r = db_begin(db, &tx, err);

	for (int64_t v = version; r == 0 && v < schema_version(); v++)
		r = db_exec(db, migrations[v], err);
	if (r < 0)
		return r;
	snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%lld",
		 (long long)schema_version());
	r = db_exec(db, set_version, err);
	return r < 0 ? r : db_commit(&tx, err);
}

/* Nobody else migrates meanwhile; but somebody may have done so before we got here. */
static int migrate_locked(sqlite3 *db, struct err *err)
{
	int64_t version = 0;
	int r = read_version(db, &version, err);

	if (r < 0 || version == schema_version())
		return r;
	if (version == 0) {
		r = db_exec(db,
			    "PRAGMA page_size=" PAGE_SIZE
			    "; PRAGMA application_id=" DB_APPLICATION_ID
			    "; PRAGMA journal_mode=WAL",
			    err);
		if (r < 0)
			return r;
	}
	return run_migrations(db, version, err);
}

int schema_reopen(const char *root, sqlite3 **out, struct err *err)
{
	AUTO_FREE char *path = NULL;
	sqlite3 *db = NULL;
	int64_t version;
	int r;

	if (asprintf(&path, "%s/cman.db", root) < 0)
		return err_sys(err, ENOMEM, "cannot open the database");
	r = db_open(path, SQLITE_OPEN_READWRITE, &db, err);
	if (r < 0)
		return r;
	db_keep_room(db);
	/* The first to read may have to make its shared memory. */
	r = db_query_int(db, "PRAGMA user_version", NULL, 0, &version, err);
	if (r < 0) {
		db_close(db);
		return r;
	}
	*out = db;
	return 0;
}

int schema_open(const char *root, int root_fd, sqlite3 **out, struct err *err)
{
	AUTO_FREE char *path = NULL;
	struct err ignored = ERR_INIT;
	sqlite3 *db = NULL;
	int64_t version = 0;
	int r;

	if (asprintf(&path, "%s/cman.db", root) < 0)
		return err_sys(err, ENOMEM, "cannot open the database");
	r = db_open(path, SQLITE_OPEN_READWRITE, &db, err);
	if (r == -ENOENT)
		r = db_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, err);
	if (r < 0)
		return r;
	db_keep_room(db);
	r = read_version(db, &version, err);
	if (r == 0 && version < schema_version()) {
		if (flock(root_fd, LOCK_EX) < 0) {
			r = err_sys(err, errno, "cannot lock %s", root);
		} else {
			r = migrate_locked(db, err);
			(void)flock(root_fd, LOCK_UN);
			if (r == 0)
				(void)db_checkpoint(db, &ignored);
		}
	}
	if (r < 0) {
		db_close(db);
		return r;
	}
	*out = db;
	return 0;
}
