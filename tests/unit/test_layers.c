/* SPDX-License-Identifier: Apache-2.0 */
/* Layers: drafts, and what becomes of them. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/store.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/scratch.h"

static void open_store(void **state, struct store *store)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;

	if (store_open(s->path, store, &err) < 0)
		fail_msg("%s", err.text);
}

static int count_entries(int dirfd)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY));
	const struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	return n;
}

static void test_a_draft_becomes_a_layer(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct layer_draft draft = LAYER_DRAFT_INIT;
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1];
	AUTO_CLOSE int layer = -1;
	struct stat st;
	mode_t before;

	open_store(state, &store);
	fixture_digest('1', id);
	before = umask(0777);
	assert_int_equal(layer_draft_begin(&store, &draft, &err), 0);
	umask(before);
	assert_int_equal(fstat(draft.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(faccessat(store.tmp_fd, draft.name, F_OK, 0), 0);
	assert_false(layer_exists(&store, id));
	assert_int_equal(fd_replace_file(draft.fd, "f", 0644, "x", 1, false, &err), 0);
	assert_int_equal(layer_draft_commit(&store, &draft, id, id, &err), 0);
	assert_int_equal(draft.fd, -1);
	assert_int_equal(draft.lock_fd, -1);
	assert_true(layer_exists(&store, id));
	assert_int_equal(count_entries(store.tmp_fd), 0);
	layer = openat(store.layers_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(faccessat(layer, "f", F_OK, 0), 0);
	layer_draft_abort(&store, &draft); /* harmless now */
	assert_true(layer_exists(&store, id));
}

static void test_the_first_of_two_stays(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct layer_draft first = LAYER_DRAFT_INIT, second = LAYER_DRAFT_INIT;
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1];
	struct stat before, after;

	open_store(state, &store);
	fixture_digest('1', id);
	assert_int_equal(layer_draft_begin(&store, &first, &err), 0);
	assert_int_equal(layer_draft_begin(&store, &second, &err), 0);
	assert_string_not_equal(first.name, second.name);
	assert_int_equal(layer_draft_commit(&store, &first, id, id, &err), 0);
	assert_int_equal(fstatat(store.layers_fd, id, &before, 0), 0);
	assert_int_equal(layer_draft_commit(&store, &second, id, id, &err), 0);
	assert_int_equal(fstatat(store.layers_fd, id, &after, 0), 0);
	assert_true(before.st_ino == after.st_ino);
	assert_int_equal(count_entries(store.tmp_fd), 0);
	assert_int_equal(count_entries(store.layers_fd), 1);
}

static void test_abort_removes_the_draft(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct layer_draft draft = LAYER_DRAFT_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	layer_draft_abort(&store, &draft);
	assert_int_equal(layer_draft_begin(&store, &draft, &err), 0);
	assert_int_equal(mkdirat(draft.fd, "d", 0700), 0);
	layer_draft_abort(&store, &draft);
	assert_int_equal(draft.fd, -1);
	assert_int_equal(count_entries(store.tmp_fd), 0);
}

/* The lock is the maker's alone: a stage that got draft.fd and lives on does not keep it. */
static void test_the_lock_is_apart_from_the_directory(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct layer_draft draft = LAYER_DRAFT_INIT;
	AUTO_CLOSE int inherited = -1;
	AUTO_CLOSE int other = -1;
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(layer_draft_begin(&store, &draft, &err), 0);
	inherited = dup(draft.fd);
	other = openat(store.tmp_fd, draft.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	close(draft.lock_fd);
	draft.lock_fd = -1;
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	layer_draft_abort(&store, &draft);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_a_draft_becomes_a_layer),
		SCRATCH_TEST(test_the_first_of_two_stays),
		SCRATCH_TEST(test_abort_removes_the_draft),
		SCRATCH_TEST(test_the_lock_is_apart_from_the_directory),
	};

	return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
