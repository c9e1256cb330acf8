/* SPDX-License-Identifier: Apache-2.0 */
/* A store of an earlier version opens, and goes on. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/containers.h"
#include "store/images.h"
#include "store/images_flat.h"
#include "store/layers.h"
#include "store/store.h"
#include "store/sweep.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/scratch.h"

#define TEXT_MAX 128
#define HEX64(digit) digit digit digit digit digit digit digit digit
#define A HEX64("aaaaaaaa")
#define B HEX64("bbbbbbbb")
#define L1 HEX64("11111111")
#define L2 HEX64("22222222")
#define L3 HEX64("33333333")
#define C1 HEX64("cccccccc")

/* What version 1 made: its tables as they were released, and images that share a layer. */
static const char version_1[] =
	"PRAGMA page_size=1024; PRAGMA application_id=0x636d616e; PRAGMA journal_mode=WAL;"
	"BEGIN;"
	"CREATE TABLE image ( id TEXT PRIMARY KEY, config TEXT NOT NULL, source TEXT,"
	" source_digest TEXT, created_ns INTEGER NOT NULL, size INTEGER NOT NULL) STRICT;"
	"CREATE TABLE image_name ( name TEXT PRIMARY KEY,"
	" image_id TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
	"CREATE TABLE layer ( diff_id TEXT PRIMARY KEY, size INTEGER,"
	" created_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE image_layer ("
	" image_id TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE,"
	" position INTEGER NOT NULL, diff_id TEXT NOT NULL REFERENCES layer (diff_id),"
	" PRIMARY KEY (image_id, position)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE container ( id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" image TEXT NOT NULL, image_id TEXT REFERENCES image (id), command TEXT NOT NULL,"
	" state TEXT NOT NULL"
	"  CHECK (state IN ('created', 'running', 'paused', 'exited', 'removing')),"
	" created_ns INTEGER NOT NULL, started_ns INTEGER NOT NULL,"
	" finished_ns INTEGER NOT NULL, pid INTEGER NOT NULL, pid_start_time INTEGER NOT NULL,"
	" monitor_pid INTEGER NOT NULL, monitor_start_time INTEGER NOT NULL,"
	" boot_id TEXT NOT NULL, exit_code INTEGER NOT NULL, oom_killed INTEGER NOT NULL,"
	" error TEXT, auto_remove INTEGER NOT NULL, tty INTEGER NOT NULL,"
	" stop_signal INTEGER NOT NULL, stop_timeout_s INTEGER NOT NULL) STRICT;"
	"CREATE VIEW containers AS SELECT id, name, image FROM container;"
	"CREATE VIEW images AS SELECT image.id, image_name.name, created_ns, size, source,"
	" source_digest, config FROM image"
	" LEFT JOIN image_name ON image_name.image_id = image.id;"
	"INSERT INTO image VALUES ('" A "', '{\"os\":\"linux\"}', 'https://example.org/a',"
	" 'sha256:0', 1, 30), ('" B "', '{}', NULL, NULL, 2, 10);"
	"INSERT INTO image_name VALUES ('a:1', '" A "'), ('a:latest', '" A "'), ('b', '" B "');"
	"INSERT INTO layer VALUES ('" L1 "', 10, 1), ('" L2 "', 20, 1), ('" L3 "', NULL, %lld);"
	"INSERT INTO image_layer VALUES ('" A "', 0, '" L1 "'), ('" A "', 1, '" L2 "'),"
	" ('" B "', 0, '" L1 "');"
	"INSERT INTO container VALUES ('" C1 "', 'bird', 'a:1', '" A "', '[]', 'exited', 1, 2, 3,"
	" 0, 0, 0, 0, '', 7, 0, NULL, 0, 0, 15, 10);"
	"PRAGMA user_version=1;"
	"COMMIT;";

static void make_version_1(const char *root)
{
	static const char *const layers[] = { L1, L2, L3 };
	char path[256], sql[sizeof(version_1) + 32], *message = NULL;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/layers", root);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/layers/%s", root, layers[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	snprintf(path, sizeof(path), "%s/cman.db", root);
	/* One layer whose image may still come. */
	snprintf(sql, sizeof(sql), version_1, (long long)clock_now_ns());
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	sqlite3_close(db);
}

static void open_store(void **state, struct store *store)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;

	if (store_open(s->path, store, &err) < 0)
		fail_msg("%s", err.text);
}

static int take_text(void *data, int columns, char **values, char **names)
{
	(void)names;
	if (columns > 0 && values[0])
		snprintf(data, TEXT_MAX, "%s", values[0]);
	return 0;
}

static void assert_sql(struct store *store, const char *sql, const char *expected)
{
	char text[TEXT_MAX] = "";

	assert_int_equal(sqlite3_exec(store->db, sql, take_text, text, NULL), SQLITE_OK);
	assert_string_equal(text, expected);
}

static void assert_all_there(struct store *store)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_CONTAINER_RECORD struct container_record container = CONTAINER_RECORD_INIT;
	AUTO_FREE char *config = NULL;
	char *form = NULL;
	struct err err = ERR_INIT;
	size_t len = 0;

	assert_sql(store, "PRAGMA user_version", "6");
	assert_sql(store, "PRAGMA foreign_key_check", "");
	assert_sql(store, "PRAGMA integrity_check", "ok");
	assert_int_equal(image_find(store, "a", &image, &err), 0);
	assert_string_equal(image.id, A);
	assert_int_equal(image_config_text(store, A, &config, &err), 0);
	assert_string_equal(config, "{\"os\":\"linux\"}");
	/* The flat form is made when somebody needs it. */
	assert_int_equal(image_flat_get(store, A, &form, &len, &err), 0);
	assert_null(form);
	assert_string_equal(image.source, "https://example.org/a");
	assert_int_equal(image.size, 30);
	assert_int_equal(image.nlayers, 2);
	assert_string_equal(image.layers[0].diff_id, L1);
	assert_string_equal(image.layers[1].tree, L2);
	assert_int_equal(image.layers[1].size, 20);
	assert_int_equal(image.nnames, 2);
	assert_string_equal(image.names[1].name, "a:latest");
	assert_null(image.names[1].digest);
	assert_int_equal(container_find(store, "bird", &container, &err), 0);
	assert_string_equal(container.image_id, A);
	assert_int_equal(container.exit_code, 7);
	/* The view has the columns that it had, and new ones at its end. */
	assert_sql(store, "SELECT group_concat(name) FROM pragma_table_info('images')",
		   "id,name,created,created_ns,size,source,source_digest,config,manifest,"
		   "digest");
	assert_sql(store, "SELECT size FROM images WHERE name = 'b'", "10");
}

static void ignore_removed(const char *what, bool deleted, void *data)
{
	(void)what;
	(void)deleted;
	(void)data;
}

static void test_all_is_there(void **state)
{
	const struct scratch *s = *state;
	AUTO_STORE struct store store = STORE_INIT;

	make_version_1(s->path);
	open_store(state, &store);
	assert_all_there(&store);
	store_close(&store);
	open_store(state, &store);
	assert_all_there(&store);
}

static void test_it_goes_on(void **state)
{
	const struct scratch *s = *state;
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;

	make_version_1(s->path);
	open_store(state, &store);
	assert_int_equal(image_manifest_get(&store, "b", &manifest, &err), -ENOENT);
	assert_string_equal(err.text,
			    "image b has no manifest, as an earlier version of cman kept none");
	assert_string_equal(err.hint, "pull it again");
	assert_int_equal(image_tag(&store, "b", "c:latest", &err), 0);
	/* Pulled again: its manifest comes to be, its layer is the one that was there. */
	assert_int_equal(image_find(&store, "b", &image, &err), 0);
	assert_int_equal(blob_put(&store, "{}", 2, manifest.digest, &err), 0);
	manifest.media_type = strdup("t");
	image.config = "{}";
	assert_int_equal(image_put(&store, &image, &manifest, "b", "sha256:x", &err), 0);
	image_manifest_release(&manifest);
	assert_int_equal(image_manifest_get(&store, "b", &manifest, &err), 0);
	/* Layers go with their last image, and not before; one without an image stays for a day. */
	assert_int_equal(image_remove(&store, "a:1", false, ignore_removed, NULL, &err), 0);
	assert_int_equal(image_remove(&store, A, false, ignore_removed, NULL, &err), -EBUSY);
	assert_int_equal(
		container_delete_ended(&store, &(struct container_record){ .id = C1 }, &err), 0);
	assert_int_equal(image_remove(&store, A, false, ignore_removed, NULL, &err), 0);
	assert_true(layer_exists(&store, L1));
	assert_false(layer_exists(&store, L2));
	assert_int_equal(image_remove(&store, B, true, ignore_removed, NULL, &err), 0);
	assert_false(layer_exists(&store, L1));
	assert_false(blob_exists(&store, manifest.digest));
	assert_int_equal(store_sweep(&store, &err), 0);
	assert_true(layer_exists(&store, L3));
}

/* Wherever it is killed, the next one finds the old store or the new. */
static void test_a_kill_in_between(void **state)
{
	const struct scratch *s = *state;
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	int ended = 0;

	make_version_1(s->path);
	for (int us = 0; us < 12000 && !ended; us += 150) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(store_open(s->path, &store, &err) < 0);
		usleep((useconds_t)us);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	open_store(state, &store);
	assert_all_there(&store);
}

/* Of many that open it at once one migrates, and all go on. */
static void test_many_at_once(void **state)
{
	const struct scratch *s = *state;
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	pid_t pids[12];
	int status;

	make_version_1(s->path);
	for (size_t i = 0; i < 12; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(store_open(s->path, &store, &err) < 0);
	}
	for (size_t i = 0; i < 12; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	open_store(state, &store);
	assert_all_there(&store);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_all_is_there),
		SCRATCH_TEST(test_it_goes_on),
		SCRATCH_TEST(test_a_kill_in_between),
		SCRATCH_TEST(test_many_at_once),
	};

	return cmocka_run_group_tests_name("migration", tests, NULL, NULL);
}
