/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrations.h"

#include <stddef.h>

/* The time of a trigger, for want of one from outside: milliseconds, julianday(). */
#define NOW_NS "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000000"
#define EVENTS_MAX "16384"
#define READABLE_TIME(column) \
	"strftime('%Y-%m-%dT%H:%M:%SZ', nullif(" column ", 0) / 1000000000, 'unixepoch')"

/* SQL reads like SQL: */
/* clang-format off */

static const char version_1[] =
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
	" " READABLE_TIME("created_ns") " AS created,"
	" " READABLE_TIME("started_ns") " AS started,"
	" " READABLE_TIME("finished_ns") " AS finished,"
	" created_ns, started_ns, finished_ns, nullif(pid, 0) AS pid,"
	" CASE state WHEN 'exited' THEN exit_code END AS exit_code,"
	" oom_killed, error, auto_remove, tty"
	" FROM container;"

	"CREATE VIEW images AS SELECT"
	" image.id, image_name.name,"
	" " READABLE_TIME("created_ns") " AS created,"
	" created_ns, size, source, source_digest, config"
	" FROM image LEFT JOIN image_name ON image_name.image_id = image.id;";

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
 * Containers have a life: restarts, health, who ended them. Every change of state leaves an event,
 * by triggers, so that one is never without the other. Volumes have records.
 *
 * container.changed_ns is set by whatever changes the state, and gives the event its time;
 * container.ended_by is who asked for the end ('stop', 'kill', …) since the last start.
 */
static const char version_3[] =
	"CREATE TABLE container_3 ("
	" id TEXT PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" image TEXT NOT NULL,"
	" image_id TEXT REFERENCES image (id),"
	" command TEXT NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN"
	"  ('created', 'running', 'paused', 'restarting', 'exited', 'removing')),"
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
	" stop_timeout_s INTEGER NOT NULL,"
	" labels TEXT,"
	" restart_policy TEXT NOT NULL DEFAULT 'no'"
	"  CHECK (restart_policy IN ('no', 'on-failure', 'always', 'unless-stopped')),"
	" restart_max INTEGER NOT NULL DEFAULT 0,"
	" restart_count INTEGER NOT NULL DEFAULT 0,"
	" restart_ns INTEGER NOT NULL DEFAULT 0,"
	" health TEXT NOT NULL DEFAULT 'none'"
	"  CHECK (health IN ('none', 'starting', 'healthy', 'unhealthy')),"
	" health_failures INTEGER NOT NULL DEFAULT 0,"
	" ended_by TEXT,"
	" ending TEXT,"
	" changed_ns INTEGER NOT NULL DEFAULT 0"
	") STRICT;"
	"INSERT INTO container_3 SELECT id, name, image, image_id, command, state, created_ns,"
	" started_ns, finished_ns, pid, pid_start_time, monitor_pid, monitor_start_time, boot_id,"
	" exit_code, oom_killed, error, auto_remove, tty, stop_signal, stop_timeout_s,"
	" NULL, 'no', 0, 0, 0, 'none', 0, NULL, NULL, max(created_ns, started_ns, finished_ns)"
	" FROM container;"
	"DROP VIEW containers;"
	"DROP TABLE container;"
	"ALTER TABLE container_3 RENAME TO container;"
	"CREATE INDEX container_image ON container (image_id);"

	/* The last results of a container's health check. */
	"CREATE TABLE health_check ("
	" container_id TEXT NOT NULL REFERENCES container (id) ON DELETE CASCADE,"
	" started_ns INTEGER NOT NULL,"
	" finished_ns INTEGER NOT NULL,"
	" exit_code INTEGER NOT NULL,"
	" output TEXT NOT NULL,"
	" PRIMARY KEY (container_id, started_ns)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE volume ("
	" name TEXT PRIMARY KEY,"
	" created_ns INTEGER NOT NULL,"
	" anonymous INTEGER NOT NULL,"
	" filled INTEGER NOT NULL,"
	" labels TEXT,"
	" options TEXT"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE container_volume ("
	" container_id TEXT NOT NULL REFERENCES container (id) ON DELETE CASCADE,"
	" destination TEXT NOT NULL,"
	" volume TEXT NOT NULL REFERENCES volume (name),"
	" PRIMARY KEY (container_id, destination)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX container_volume_volume ON container_volume (volume);"

	/* The newest EVENTS_MAX or so. */
	"CREATE TABLE event ("
	" id INTEGER PRIMARY KEY,"
	" time_ns INTEGER NOT NULL,"
	" type TEXT NOT NULL,"
	" action TEXT NOT NULL,"
	" object TEXT NOT NULL,"
	" name TEXT,"
	" image TEXT,"
	" exit_code INTEGER,"
	" detail TEXT,"
	" labels TEXT"
	") STRICT;"
	"CREATE TRIGGER event_bound AFTER INSERT ON event WHEN new.id % 256 = 0 BEGIN"
	" DELETE FROM event WHERE id <= new.id - " EVENTS_MAX ";"
	" END;"
	"CREATE TRIGGER container_created AFTER INSERT ON container BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name, image, labels)"
	"  VALUES (new.created_ns, 'container', 'create', new.id, new.name, new.image, new.labels);"
	" END;"
	"CREATE TRIGGER container_changed AFTER UPDATE OF state ON container"
	" WHEN new.state IS NOT old.state AND new.state != 'removing'"
	" AND NOT (old.state = 'restarting' AND new.state = 'exited') BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name, image, exit_code, detail, labels)"
	"  VALUES (new.changed_ns, 'container',"
	"  CASE new.state WHEN 'paused' THEN 'pause' WHEN 'exited' THEN 'die' WHEN 'restarting' THEN 'die'"
	"   WHEN 'running' THEN CASE old.state WHEN 'paused' THEN 'unpause' ELSE 'start' END"
	"   ELSE new.state END,"
	"  new.id, new.name, new.image,"
	"  CASE WHEN new.state IN ('exited', 'restarting') THEN new.exit_code END,"
	"  CASE WHEN new.state IN ('exited', 'restarting') THEN new.ended_by END, new.labels);"
	" END;"
	"CREATE TRIGGER container_oom AFTER UPDATE OF oom_killed ON container"
	" WHEN new.oom_killed AND NOT old.oom_killed BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name, image, labels)"
	"  VALUES (new.changed_ns, 'container', 'oom', new.id, new.name, new.image, new.labels);"
	" END;"
	"CREATE TRIGGER container_health AFTER UPDATE OF health ON container"
	" WHEN new.health IS NOT old.health AND new.health IN ('healthy', 'unhealthy') BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name, image, detail, labels)"
	"  VALUES (new.changed_ns, 'container', 'health_status', new.id, new.name, new.image,"
	"  new.health, new.labels);"
	" END;"
	"CREATE TRIGGER container_renamed AFTER UPDATE OF name ON container BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name, image, detail, labels)"
	"  VALUES (new.changed_ns, 'container', 'rename', new.id, new.name, new.image, old.name,"
	"  new.labels);"
	" END;"
	"CREATE TRIGGER container_destroyed AFTER DELETE ON container BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name, image, labels)"
	"  VALUES (" NOW_NS ", 'container', 'destroy', old.id, old.name, old.image, old.labels);"
	" END;"
	"CREATE TRIGGER image_created AFTER INSERT ON image BEGIN"
	" INSERT INTO event (time_ns, type, action, object, detail)"
	"  VALUES (" NOW_NS ", 'image', 'create', new.id, new.source);"
	" END;"
	"CREATE TRIGGER image_named AFTER INSERT ON image_name BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name)"
	"  VALUES (" NOW_NS ", 'image', 'tag', new.image_id, new.name);"
	" END;"
	"CREATE TRIGGER image_unnamed AFTER DELETE ON image_name BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name)"
	"  VALUES (" NOW_NS ", 'image', 'untag', old.image_id, old.name);"
	" END;"
	"CREATE TRIGGER image_deleted AFTER DELETE ON image BEGIN"
	" INSERT INTO event (time_ns, type, action, object)"
	"  VALUES (" NOW_NS ", 'image', 'delete', old.id);"
	" END;"
	"CREATE TRIGGER volume_created AFTER INSERT ON volume BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name, labels)"
	"  VALUES (new.created_ns, 'volume', 'create', new.name, new.name, new.labels);"
	" END;"
	"CREATE TRIGGER volume_destroyed AFTER DELETE ON volume BEGIN"
	" INSERT INTO event (time_ns, type, action, object, name, labels)"
	"  VALUES (" NOW_NS ", 'volume', 'destroy', old.name, old.name, old.labels);"
	" END;"

	"CREATE VIEW containers AS SELECT"
	" id, name, image, image_id, command, state,"
	" " READABLE_TIME("created_ns") " AS created,"
	" " READABLE_TIME("started_ns") " AS started,"
	" " READABLE_TIME("finished_ns") " AS finished,"
	" created_ns, started_ns, finished_ns, nullif(pid, 0) AS pid,"
	" CASE WHEN state IN ('exited', 'restarting') THEN exit_code END AS exit_code,"
	" oom_killed, error, auto_remove, tty, labels, restart_policy, restart_count, health, ended_by"
	" FROM container;"
	"CREATE VIEW volumes AS SELECT"
	" name, " READABLE_TIME("created_ns") " AS created, created_ns, anonymous, labels,"
	" (SELECT count(*) FROM container_volume WHERE volume = name) AS containers"
	" FROM volume;"
	"CREATE VIEW events AS SELECT"
	" id, " READABLE_TIME("time_ns") " AS time, time_ns, type, action, object, name, image,"
	" exit_code, detail, labels"
	" FROM event;";

/* What containers are made from is read from the flat form of the image's configuration. */
static const char version_4[] =
	"CREATE TABLE image_flat ("
	" image_id TEXT PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,"
	" bytes BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;";

/*
 * Events come with the change itself (change.h): that every command compiled these triggers was a
 * third of what it took to open the database. A monitor of a former version goes on without events.
 */
static const char version_5[] =
	"DROP TRIGGER event_bound;"
	"DROP TRIGGER container_created;"
	"DROP TRIGGER container_changed;"
	"DROP TRIGGER container_oom;"
	"DROP TRIGGER container_health;"
	"DROP TRIGGER container_renamed;"
	"DROP TRIGGER container_destroyed;"
	"DROP TRIGGER image_created;"
	"DROP TRIGGER image_named;"
	"DROP TRIGGER image_unnamed;"
	"DROP TRIGGER image_deleted;"
	"DROP TRIGGER volume_created;"
	"DROP TRIGGER volume_destroyed;";

/* A list of thousands with its mounts and networks needs no file of each. */
static const char version_6[] =
	"ALTER TABLE container ADD COLUMN mounts TEXT;"
	"ALTER TABLE container ADD COLUMN network TEXT;";

/* clang-format on */

const char *const migrations[] = { version_1, version_2, version_3, version_4,
				   version_5, version_6, NULL };
