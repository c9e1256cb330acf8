/* SPDX-License-Identifier: Apache-2.0 */
/* What a kill or a power cut left is removed; what is in use, or young, is not. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/fd.h"
#include "store/containers.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/partials.h"
#include "store/store.h"
#include "store/sweep.h"
#include "tests/unit/clock_ahead.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/scratch.h"

static void open_store(void **state, struct store *store)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;

	ahead_s = 0;
	if (store_open(s->path, store, &err) < 0)
		fail_msg("%s", err.text);
}

static void sweep_after(struct store *store, int64_t seconds)
{
	struct err err = ERR_INIT;

	ahead_s = seconds;
	if (store_sweep(store, &err) < 0)
		fail_msg("%s", err.text);
	ahead_s = 0;
}

static bool is_there(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_nothing_to_do(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;

	open_store(state, &store);
	sweep_after(&store, 0);
	sweep_after(&store, 100000);
}

static void test_drafts(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct layer_draft alive = LAYER_DRAFT_INIT, dead = LAYER_DRAFT_INIT;
	struct err err = ERR_INIT;
	char name[48];

	open_store(state, &store);
	assert_int_equal(layer_draft_begin(&store, &alive, &err), 0);
	assert_int_equal(layer_draft_begin(&store, &dead, &err), 0);
	assert_int_equal(mkdirat(dead.fd, "d", 0700), 0);
	strcpy(name, dead.name);
	close(dead.lock_fd); /* as the end of its maker does */
	close(dead.fd);
	assert_int_equal(mkdirat(store.tmp_fd, ".new-draft-0", 0700), 0); /* about to be locked */
	sweep_after(&store, 0);
	assert_false(is_there(store.tmp_fd, name));
	assert_true(is_there(store.tmp_fd, ".new-draft-0"));
	sweep_after(&store, 90);
	assert_false(is_there(store.tmp_fd, ".new-draft-0"));
	assert_true(is_there(store.tmp_fd, alive.name));
	layer_draft_abort(&store, &alive);
}

static void test_partials(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct partial kept = PARTIAL_INIT, held = PARTIAL_INIT;
	struct err err = ERR_INIT;
	char name[80], sidecar[96];

	open_store(state, &store);
	assert_int_equal(partial_open(&store, "kept", &kept, &err), 0);
	assert_int_equal(partial_set_validator(&store, &kept, "v", &err), 0);
	strcpy(name, kept.name);
	snprintf(sidecar, sizeof(sidecar), "%s.validator", name);
	partial_close(&kept);
	assert_int_equal(partial_open(&store, "held", &held, &err), 0);
	sweep_after(&store, 23 * 3600);
	assert_true(is_there(store.tmp_fd, name));
	assert_true(is_there(store.tmp_fd, sidecar));
	/* The first sweep may meet the sidecar before the file that it belongs to. */
	sweep_after(&store, 25 * 3600);
	sweep_after(&store, 25 * 3600);
	assert_false(is_there(store.tmp_fd, name));
	assert_false(is_there(store.tmp_fd, sidecar));
	assert_true(is_there(store.tmp_fd, held.name));
	partial_close(&held);
}

static void test_trash_and_leftover_files(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(mkdirat(store.tmp_fd, "trash-1", 0700), 0);
	assert_int_equal(mkdirat(store.tmp_fd, "trash-1/d", 0700), 0);
	assert_int_equal(fd_replace_file(store.tmp_fd, ".new-1", 0600, "x", 1, false, &err), 0);
	assert_int_equal(fd_replace_file(store.tmp_fd, "else", 0600, "x", 1, false, &err), 0);
	sweep_after(&store, 0);
	assert_false(is_there(store.tmp_fd, "trash-1"));
	assert_true(is_there(store.tmp_fd, ".new-1"));
	assert_int_equal(fd_replace_file(store.run_fd, ".new-2", 0600, "x", 1, false, &err), 0);
	assert_int_equal(fd_replace_file(store.run_fd, "choice-000", 0600, "x", 1, false, &err), 0);
	sweep_after(&store, 30);
	assert_true(is_there(store.run_fd, ".new-2"));
	sweep_after(&store, 90);
	assert_false(is_there(store.run_fd, ".new-2"));
	assert_true(is_there(store.run_fd, "choice-000"));
	sweep_after(&store, 25 * 3600);
	assert_false(is_there(store.tmp_fd, ".new-1"));
	/* Not one of ours: nobody knows what it is for. */
	assert_true(is_there(store.tmp_fd, "else"));
}

static void test_layers(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char used[DIGEST_HEX_LEN + 1], unused[DIGEST_HEX_LEN + 1], unnamed[DIGEST_HEX_LEN + 1];

	open_store(state, &store);
	fixture_layer(&store, '1');
	fixture_layer(&store, '2');
	assert_int_equal(fixture_image(&store, 'a', "1", "a:latest", &err), 0);
	fixture_digest('1', used);
	fixture_digest('2', unused);
	fixture_digest('3', unnamed);
	assert_int_equal(mkdirat(store.layers_fd, unnamed, 0755), 0);
	sweep_after(&store, 30);
	assert_true(is_there(store.layers_fd, unnamed));
	sweep_after(&store, 23 * 3600);
	assert_false(is_there(store.layers_fd, unnamed));
	/* Its image may still come: a pull of many layers takes its time, or goes on tomorrow. */
	assert_true(is_there(store.layers_fd, unused));
	sweep_after(&store, 25 * 3600);
	assert_false(is_there(store.layers_fd, unused));
	assert_true(is_there(store.layers_fd, used));
	/* Gone with its row: it can come again. */
	fixture_layer(&store, '2');
	assert_int_equal(fixture_image(&store, 'b', "2", "b:latest", &err), 0);
}

static void test_container_directories(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct container_record record = {
		.name = (char *)"bird",
		.image = (char *)"i",
		.command = (char *)"[]",
	};
	char orphan[CONTAINER_ID_LEN + 1];
	struct err err = ERR_INIT;
	int dir = -1;

	open_store(state, &store);
	assert_int_equal(container_id_generate(record.id, &err), 0);
	assert_int_equal(container_insert(&store, &record, &err), 0);
	assert_int_equal(container_dir_create(&store, record.id, &dir, &err), 0);
	close(dir);
	assert_int_equal(container_id_generate(orphan, &err), 0);
	assert_int_equal(container_dir_create(&store, orphan, &dir, &err), 0);
	close(dir);
	sweep_after(&store, 30);
	assert_true(is_there(store.containers_fd, orphan));
	sweep_after(&store, 90);
	assert_false(is_there(store.containers_fd, orphan));
	assert_true(is_there(store.containers_fd, record.id));
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_nothing_to_do), SCRATCH_TEST(test_drafts),
		SCRATCH_TEST(test_partials),	  SCRATCH_TEST(test_trash_and_leftover_files),
		SCRATCH_TEST(test_layers),	  SCRATCH_TEST(test_container_directories),
	};

	return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
