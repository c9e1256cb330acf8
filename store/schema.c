/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "store/base/cleanup.h"
#include "store/db.h"

/*
 * Pages of 1 KiB: a record takes a few hundred bytes, every page that a commit changes is
 * written whole, and the first to open reads all that was not yet checkpointed.
 */
#define PAGE_SIZE "1024"

#define READABLE_TIME(column) \
	"strftime('%Y-%m-%dT%H:%M:%SZ', nullif(" #column ", 0) / 1000000000, 'unixepoch')"

/* Layers have trees, blobs and manifests are kept, and names know what registries call so. */
static const char version_2[] =
	"ALTER TABLE image_layer RENAME TO image_layer_1;"
	"ALTER TABLE layer RENAME TO layer_1;"

	/*
	 * named: 1 once an image has come for it; from then on it goes with the last image. One
	 * that none has come for is kept for a while.
	 */
	"CREATE TABLE layer ("
	" tree TEXT PRIMARY KEY,"
	" diff_id TEXT NOT NULL,"
	" size INTEGER,"
	" created_ns INTEGER NOT NULL,"
	" named INTEGER NOT NULL DEFAULT 0"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO layer SELECT diff_id, diff_id, size, created_ns, size IS NOT NULL FROM layer_1;"

	"CREATE TABLE image_layer ("
	" image_id TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE,"
	" position INTEGER NOT NULL,"
	" tree TEXT NOT NULL REFERENCES layer (tree),"
	" PRIMARY KEY (image_id, position)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO image_layer SELECT image_id, position, diff_id FROM image_layer_1;"
	"DROP TABLE image_layer_1;"
	"DROP TABLE layer_1;"
	"CREATE INDEX image_layer_tree ON image_layer (tree);"

	"CREATE TABLE blob ("
	" digest TEXT PRIMARY KEY,"
	" size INTEGER NOT NULL,"
	" created_ns INTEGER NOT NULL,"
	" named INTEGER NOT NULL DEFAULT 0"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE manifest ("
	" digest TEXT PRIMARY KEY REFERENCES blob (digest),"
	" image_id TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE,"
	" media_type TEXT NOT NULL,"
	" created_ns INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX manifest_image ON manifest (image_id);"

	/* Position 0 is the config. */
	"CREATE TABLE manifest_blob ("
	" manifest TEXT NOT NULL REFERENCES manifest (digest) ON DELETE CASCADE,"
	" position INTEGER NOT NULL,"
	" digest TEXT NOT NULL REFERENCES blob (digest),"
	" size INTEGER NOT NULL,"
	" media_type TEXT NOT NULL,"
	" PRIMARY KEY (manifest, position)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX manifest_blob_digest ON manifest_blob (digest);"

	"ALTER TABLE image_name ADD COLUMN manifest TEXT REFERENCES manifest (digest)"
	" ON DELETE SET NULL;"
	"ALTER TABLE image_name ADD COLUMN digest TEXT;"
	"CREATE INDEX image_name_image ON image_name (image_id, name, digest);"
	"CREATE INDEX image_name_manifest ON image_name (manifest);"
	"CREATE INDEX container_image ON container (image_id);"

	/* All that a list of images shows: the rows of the table have the configs between. */
	"CREATE INDEX image_list ON image (created_ns, id, size, source, source_digest);"

	"DROP VIEW images;"
	"CREATE VIEW images AS SELECT"
	" image.id, image_name.name,"
	" strftime('%Y-%m-%dT%H:%M:%SZ', nullif(created_ns, 0) / 1000000000, 'unixepoch') AS created,"
	" created_ns, size, source, source_digest, config, image_name.manifest, image_name.digest"
	" FROM image LEFT JOIN image_name ON image_name.image_id = image.id;";

/*
 * migrations[n] takes a database from version n to n + 1. Those that were released are history and
 * never changed. The views containers and images are for people and scripts: their columns stay.
 */
static const char *const migrations[] = {
	"CREATE TABLE image ("
	" id TEXT PRIMARY KEY,"
	" config TEXT NOT NULL,"
	" source TEXT,"
	" source_digest TEXT,"
	" created_ns INTEGER NOT NULL,"
	" size INTEGER NOT NULL"
	") STRICT;"

	"CREATE TABLE image_name ("
	" name TEXT PRIMARY KEY,"
	" image_id TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE"
	") STRICT, WITHOUT ROWID;"

	/* A row without image_layer rows: kept for a while, as its image may still come. */
	"CREATE TABLE layer ("
	" diff_id TEXT PRIMARY KEY,"
	" size INTEGER,"
	" created_ns INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE image_layer ("
	" image_id TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE,"
	" position INTEGER NOT NULL,"
	" diff_id TEXT NOT NULL REFERENCES layer (diff_id),"
	" PRIMARY KEY (image_id, position)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE container ("
	" id TEXT PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" image TEXT NOT NULL,"
	" image_id TEXT REFERENCES image (id),"
	" command TEXT NOT NULL,"
	" state TEXT NOT NULL"
	"  CHECK (state IN ('created', 'running', 'paused', 'exited', 'removing')),"
	" created_ns INTEGER NOT NULL,"
	" started_ns INTEGER NOT NULL,"
	" finished_ns INTEGER NOT NULL,"
	" pid INTEGER NOT NULL,"
	" pid_start_time INTEGER NOT NULL,"
	" monitor_pid INTEGER NOT NULL,"
	" monitor_start_time INTEGER NOT NULL,"
	" boot_id TEXT NOT NULL,"
	" exit_code INTEGER NOT NULL,"
	" oom_killed INTEGER NOT NULL,"
	" error TEXT,"
	" auto_remove INTEGER NOT NULL,"
	" tty INTEGER NOT NULL,"
	" stop_signal INTEGER NOT NULL,"
	" stop_timeout_s INTEGER NOT NULL"
	") STRICT;"

	"CREATE VIEW containers AS SELECT"
	" id, name, image, image_id, command, state,"
	" " READABLE_TIME(
		created_ns) " AS created,"
			    " " READABLE_TIME(
				    started_ns) " AS started,"
						" " READABLE_TIME(
							finished_ns) " AS finished,"
								     " created_ns, started_ns, "
								     "finished_ns, nullif(pid, 0) "
								     "AS pid,"
								     " CASE state WHEN 'exited' "
								     "THEN exit_code END AS "
								     "exit_code,"
								     " oom_killed, error, "
								     "auto_remove, tty"
								     " FROM container;"

								     "CREATE VIEW images AS SELECT"
								     " image.id, "
								     "image_name.name,"
								     " " READABLE_TIME(
									     created_ns) " AS "
											 "created,"
											 " created_"
											 "ns, "
											 "size, "
											 "source, "
											 "source_"
											 "digest, "
											 "config"
											 " FROM "
											 "image "
											 "LEFT "
											 "JOIN "
											 "image_"
											 "name ON "
											 "image_"
											 "name."
											 "image_id "
											 "= "
											 "image."
											 "id;",
	version_2,
};

#define SCHEMA_VERSION ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

static int read_version(sqlite3 *db, int64_t *version, struct err *err)
{
	int r = db_query_int(db, "PRAGMA user_version", NULL, 0, version, err);

	if (r < 0)
		return r;
	if (*version <= SCHEMA_VERSION && *version >= 0)
		return 0;
	err_set(err, ERR_UNSUPPORTED, EPROTONOSUPPORT,
		"%s has schema version %lld, and this cman knows versions up to %lld",
		sqlite3_db_filename(db, "main"), (long long)*version, (long long)SCHEMA_VERSION);
	return err_hint(err, "a newer cman has used it: install that one");
}

static int run_migrations(sqlite3 *db, int64_t version, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	char set_version[48];
	int r = db_begin(db, &tx, err);

	for (int64_t v = version; r == 0 && v < SCHEMA_VERSION; v++)
		r = db_exec(db, migrations[v], err);
	if (r < 0)
		return r;
	snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%lld",
		 (long long)SCHEMA_VERSION);
	r = db_exec(db, set_version, err);
	return r < 0 ? r : db_commit(&tx, err);
}

/* Nobody else migrates meanwhile; but somebody may have done so before we got here. */
static int migrate_locked(sqlite3 *db, struct err *err)
{
	int64_t version = 0;
	int r = read_version(db, &version, err);

	if (r < 0 || version == SCHEMA_VERSION)
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

int schema_open(const char *root, int root_fd, sqlite3 **out, struct err *err)
{
	AUTO_FREE char *path = NULL;
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
	r = read_version(db, &version, err);
	if (r == 0 && version < SCHEMA_VERSION) {
		if (flock(root_fd, LOCK_EX) < 0) {
			r = err_sys(err, errno, "cannot lock %s", root);
		} else {
			r = migrate_locked(db, err);
			(void)flock(root_fd, LOCK_UN);
		}
	}
	if (r < 0) {
		db_close(db);
		return r;
	}
	*out = db;
	return 0;
}
