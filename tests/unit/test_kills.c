/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image is made and removed by a process that is killed before its first change of anything,
 * then before its second, and so on: each time the store opens, its images are whole, and a sweep
 * leaves nothing but them. And what an image names is durable before the row that names it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/flat.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/partials.h"
#include "store/store.h"
#include "store/sweep.h"
#include "tests/unit/clock_ahead.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/scratch.h"

/* --- what is killed --- */

static int make_layer(struct store *store, struct layer_draft *draft, struct err *err)
{
	int r = layer_draft_begin(store, draft, err);

	return r < 0 ? r : fd_replace_file(draft->fd, "file", 0644, "x", 1, false, err);
}

static int make_blobs(struct store *store, struct blob_draft *config, struct partial *layer,
		      struct err *err)
{
	int r = blob_draft_begin(store, config, err);

	if (r == 0)
		r = fd_write_all(config->fd, "{}", 2);
	if (r == 0)
		r = partial_open(store, "key", layer, err);
	if (r == 0)
		r = partial_set_validator(store, layer, "v", err);
	return r < 0 ? r : fd_write_all(layer->fd, "bytes", 5);
}

/* A pull, from the first byte to the image. */
static int make_image(struct store *store, struct err *err)
{
	struct layer_draft tree = LAYER_DRAFT_INIT;
	struct blob_draft config = BLOB_DRAFT_INIT;
	struct partial blob = PARTIAL_INIT;
	struct image_layer layer = { .size = 1 };
	struct image_blob blobs[2] = { { .media_type = (char *)"c" },
				       { .media_type = (char *)"l" } };
	struct image_manifest manifest = { .media_type = (char *)"m", .blobs = blobs, .nblobs = 2 };
	struct image_record image = { .config = "{}",
				      .flat = FLAT_MAGIC,
				      .flat_len = FLAT_MAGIC_LEN,
				      .size = -1,
				      .layers = &layer,
				      .nlayers = 1 };
	AUTO_CLOSE int held = -1;
	int r = store_hold(store, &held, err);

	fixture_digest('b', image.id);
	fixture_digest('2', layer.tree);
	fixture_digest('2', layer.diff_id);
	fixture_digest('c', blobs[0].digest);
	fixture_digest('d', blobs[1].digest);
	if (r == 0)
		r = make_layer(store, &tree, err);
	if (r == 0)
		r = make_blobs(store, &config, &blob, err);
	if (r == 0)
		r = store_sync(store, err);
	if (r == 0)
		r = layer_draft_commit(store, &tree, layer.tree, layer.diff_id, err);
	if (r == 0)
		r = blob_draft_commit(store, &config, blobs[0].digest, err);
	if (r == 0)
		r = blob_adopt_partial(store, &blob, blobs[1].digest, err);
	if (r == 0)
		r = blob_put(store, "manifest", 8, manifest.digest, err);
	return r < 0 ? r : image_put(store, &image, &manifest, "new:latest", NULL, err);
}

static void ignore_removed(const char *what, bool deleted, void *data)
{
	(void)what;
	(void)deleted;
	(void)data;
}

static int remove_image(struct store *store, struct err *err)
{
	int r = image_remove(store, "old", false, ignore_removed, NULL, err);

	return r < 0 ? r : store_sweep(store, err);
}

typedef int job(struct store *store, struct err *err);

/* --- watching and killing --- */

/* A letter for each system call that changes something: S syncs, R renames, W writes, F fsyncs. */
static char kind_of(uint64_t number, const uint64_t *args)
{
	switch (number) {
	case SYS_syncfs:
		return 'S';
	case SYS_renameat:
#ifdef SYS_rename
	case SYS_rename:
#endif
		return 'R';
	case SYS_write:
	case SYS_pwrite64:
		return 'W';
	case SYS_fsync:
	case SYS_fdatasync:
		return 'F';
	case SYS_openat:
		return args[2] & O_CREAT ? 'C' : '\0';
	case SYS_unlinkat:
	case SYS_mkdirat:
	case SYS_ftruncate:
#ifdef SYS_unlink
	case SYS_unlink:
#endif
		return 'X';
	default:
		return '\0';
	}
}

static void do_work(const char *root, job *work)
{
	struct store store = STORE_INIT;
	struct err err = ERR_INIT;

	if (store_open(root, &store, &err) < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ||
	    raise(SIGSTOP) != 0)
		_exit(1);
	if (work(&store, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		_exit(2);
	}
	_exit(0);
}

/* Run `work`, and kill it before change number `at` (from 1). False: it ended before that. */
static bool run_and_kill(const char *root, job *work, int at, struct buf *seen)
{
	struct __ptrace_syscall_info info;
	pid_t pid = fork();
	int status = 0, changes = 0;

	if (pid == 0)
		do_work(root, work);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(
		ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	for (;;) {
		char kind;

		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
		if (WSTOPSIG(status) != (SIGTRAP | 0x80) ||
		    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
		    info.op != PTRACE_SYSCALL_INFO_ENTRY)
			continue;
		kind = kind_of(info.entry.nr, info.entry.args);
		if (!kind)
			continue;
		buf_addch(seen, kind);
		if (++changes < at)
			continue;
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		return true;
	}
}

/* --- what is left --- */

static int count_entries(int dirfd)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	return n;
}

static int count_rows(struct store *store, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int n;

	assert_int_equal(sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

/* Whether there is an image of that name; if so it is whole. */
static bool is_whole(struct store *store, const char *name)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	struct err err = ERR_INIT;

	if (image_find(store, name, &image, &err) < 0) {
		assert_int_equal(err.kind, ERR_NOT_FOUND);
		return false;
	}
	assert_int_equal(image.nlayers, 1);
	assert_true(layer_exists(store, image.layers[0].tree));
	if (image_manifest_get(store, name, &manifest, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(manifest.nblobs, 2);
	assert_true(blob_exists(store, manifest.digest));
	assert_true(blob_exists(store, manifest.blobs[0].digest));
	assert_true(blob_exists(store, manifest.blobs[1].digest));
	return true;
}

/* What the sweep of the next day leaves is what the images have. */
static void check(const char *root, const char *name)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	int images;

	if (store_open(root, &store, &err) < 0)
		fail_msg("%s", err.text);
	images = is_whole(&store, name);
	ahead_s = 25 * 3600;
	/* A sidecar goes with the sweep after that of its download. */
	for (int i = 0; i < 2; i++)
		if (store_sweep(&store, &err) < 0)
			fail_msg("%s", err.text);
	ahead_s = 0;
	assert_int_equal(is_whole(&store, name), images);
	assert_int_equal(count_entries(store.tmp_fd), 0);
	assert_int_equal(count_entries(store.layers_fd), images);
	assert_int_equal(count_entries(store.blobs_fd), 3 * images);
	assert_int_equal(count_rows(&store, "SELECT count(*) FROM layer"), images);
	assert_int_equal(count_rows(&store, "SELECT count(*) FROM blob"), 3 * images);
	assert_int_equal(count_rows(&store, "SELECT count(*) FROM manifest"), images);
	assert_int_equal(count_rows(&store, "SELECT count(*) FROM image_flat"), images);
	assert_int_equal(count_rows(&store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

static void make_old_image(const char *root)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;

	if (store_open(root, &store, &err) < 0 || make_image(&store, &err) < 0 ||
	    image_tag(&store, "new", "old:latest", &err) < 0 ||
	    image_remove(&store, "new", false, ignore_removed, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static void kill_everywhere(const char *path, job *work, const char *name, int least)
{
	bool killed = true;
	int at;

	for (at = 1; killed; at++) {
		AUTO_BUF struct buf seen = BUF_INIT;
		char root[96];

		snprintf(root, sizeof(root), "%s/%d", path, at);
		if (work == remove_image)
			make_old_image(root);
		killed = run_and_kill(root, work, at, &seen);
		check(root, name);
	}
	/* It was killed at all, and often. */
	assert_true(at > least);
}

/* --- the tests --- */

static void test_a_pull_that_is_killed(void **state)
{
	const struct scratch *s = *state;

	kill_everywhere(s->path, make_image, "new", 40);
}

static void test_a_removal_that_is_killed(void **state)
{
	const struct scratch *s = *state;

	kill_everywhere(s->path, remove_image, "old", 15);
}

/* syncfs before files get their names, and again before the image's transaction. */
static void test_files_are_durable_before_the_row(void **state)
{
	const struct scratch *s = *state;
	AUTO_BUF struct buf seen = BUF_INIT;
	const char *first_sync, *last_sync, *last_rename;

	assert_false(run_and_kill(s->path, make_image, INT32_MAX, &seen));
	first_sync = strchr(seen.data, 'S');
	last_sync = strrchr(seen.data, 'S');
	last_rename = strrchr(seen.data, 'R');
	assert_non_null(first_sync);
	assert_true(first_sync < last_sync);
	assert_true(last_rename > first_sync && last_rename < last_sync);
	assert_non_null(strchr(last_sync, 'W'));
	/* At its end the image itself is durable, too. */
	assert_non_null(strchr(strchr(last_sync, 'W'), 'F'));
}

/* The end of the image's rows outlives a power cut as soon as that of its files does. */
static void test_rows_are_durably_gone_before_the_files(void **state)
{
	const struct scratch *s = *state;
	AUTO_BUF struct buf seen = BUF_INIT;
	const char *first_sync, *first_rename;

	make_old_image(s->path);
	assert_false(run_and_kill(s->path, remove_image, INT32_MAX, &seen));
	first_sync = strchr(seen.data, 'F');
	first_rename = strchr(seen.data, 'R');
	assert_int_equal(seen.data[0], 'W');
	assert_non_null(first_rename);
	assert_true(first_sync && first_sync < first_rename);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_a_pull_that_is_killed),
		SCRATCH_TEST(test_a_removal_that_is_killed),
		SCRATCH_TEST(test_files_are_durable_before_the_row),
		SCRATCH_TEST(test_rows_are_durably_gone_before_the_files),
	};

	return cmocka_run_group_tests_name("kills", tests, NULL, NULL);
}
