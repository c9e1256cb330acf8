/* SPDX-License-Identifier: Apache-2.0 */
/* store_fsck() with an unpacker of the test's own: what is told, what is done, and who waits. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
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

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"
#include "store/containers.h"
#include "store/flat.h"
#include "store/fsck.h"
#include "store/hold.h"
#include "store/images.h"
#include "store/images_flat.h"
#include "store/layers.h"
#include "store/store.h"
#include "tests/unit/clock_ahead.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/scratch.h"

static void open_store(void **state, struct store *store)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;

	if (store_open(s->path, store, &err) < 0)
		fail_msg("%s", err.text);
}

/* An image of one layer, 64 times '1', whose config names it. */
static void put_image(struct store *store, char id[DIGEST_HEX_LEN + 1])
{
	struct image_layer layer = { .size = 1 };
	struct image_blob blobs[2] = { { .media_type = (char *)"c" },
				       { .media_type = (char *)"l" } };
	struct image_manifest manifest = { .media_type = (char *)"m", .blobs = blobs, .nblobs = 2 };
	char config[128];
	struct image_record image = {
		.config = config, .size = -1, .layers = &layer, .nlayers = 1
	};
	struct err err = ERR_INIT;

	fixture_layer(store, '1');
	fixture_digest('1', layer.tree);
	fixture_digest('1', layer.diff_id);
	snprintf(config, sizeof(config), "{\"diff\":\"%s\"}", layer.diff_id);
	if (blob_put(store, config, strlen(config), blobs[0].digest, &err) < 0 ||
	    blob_put(store, "layer", 5, blobs[1].digest, &err) < 0 ||
	    blob_put(store, "manifest", 8, manifest.digest, &err) < 0)
		fail_msg("%s", err.text);
	memcpy(image.id, blobs[0].digest, sizeof(image.id));
	memcpy(id, image.id, sizeof(image.id));
	if (image_put(store, &image, &manifest, "x:latest", NULL, &err) < 0)
		fail_msg("%s", err.text);
}

struct watch {
	struct buf told;
	const char *difference; /* NULL: the layer is as it should be */
	int failure;		/* of the unpacker: an enum err_kind (ERR_STATE: EINTR), 0: none */
	int polls;		/* how often it may be asked before it is interrupted */
	int unpacked;
	char bad[DIGEST_HEX_LEN + 1]; /* a blob that does not give the layer */
	struct fsck_result result;
};

static void on_fault(const struct fsck_fault *fault, void *data)
{
	struct watch *watch = data;

	buf_addf(&watch->told, "%s%.30s: %s: %s\n", fault->repaired ? "+" : "-", fault->object,
		 fault->problem, fault->outcome ? fault->outcome : "");
}

static int on_unpack(struct store *store, const struct fsck_layer *layer, struct layer_draft *draft,
		     bool *same, char difference[512], void *data, struct err *err)
{
	struct watch *watch = data;
	int r;

	watch->unpacked++;
	assert_string_equal(layer->tree, layer->diff_id);
	assert_int_equal(layer->nbelow, 0);
	if (strcmp(layer->blob, watch->bad) == 0)
		return err_set(err, ERR_CORRUPT, EBADMSG, "it is bad");
	if (watch->failure)
		return err_set(err, (enum err_kind)watch->failure,
			       watch->failure == ERR_STATE ? EINTR : EBADMSG, "it is bad");
	r = layer_draft_begin(store, draft, err);
	if (r == 0)
		r = fd_replace_file(draft->fd, "new", 0644, "x", 1, false, err);
	*same = !watch->difference;
	snprintf(difference, 512, "%s", watch->difference ? watch->difference : "");
	return r;
}

/* The form of a configuration, as far as this test goes: the magic and the configuration. */
static int on_flatten(const char *config, size_t config_len, char **form, size_t *len, void *data,
		      struct err *err)
{
	struct watch *watch = data;
	struct buf made = BUF_INIT;

	if (watch->failure)
		return err_set(err, (enum err_kind)watch->failure, EBADMSG, "it is bad");
	buf_addf(&made, FLAT_MAGIC "%s", config);
	assert_int_equal(made.len, config_len + FLAT_MAGIC_LEN);
	*len = made.len;
	*form = buf_steal(&made);
	return 0;
}

static int on_poll(void *data, struct err *err)
{
	struct watch *watch = data;

	return watch->polls-- > 0 ? 0 : err_set(err, ERR_STATE, EINTR, "interrupted");
}

static int check(struct store *store, bool repair, struct watch *watch, struct err *err)
{
	const struct fsck_options options = {
		.repair = repair,
		.fault = on_fault,
		.unpack = on_unpack,
		.flatten = on_flatten,
		.poll = on_poll,
		.data = watch,
	};
	buf_reset(&watch->told);
	buf_addstr(&watch->told, "");
	watch->polls = 1000;
	watch->result = (struct fsck_result){ 0 };
	return store_fsck(store, &options, &watch->result, err);
}

static void assert_told(struct store *store, bool repair, struct watch *watch, const char *text)
{
	struct err err = ERR_INIT;

	if (check(store, repair, watch, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(watch->told.data, text);
}

static void sql(struct store *store, const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(store->db, text, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
}

static bool has_new(struct store *store)
{
	char path[DIGEST_HEX_LEN + 8];

	fixture_digest('1', path);
	strcat(path, "/new");
	return faccessat(store->layers_fd, path, F_OK, 0) == 0;
}

/* --- leftovers --- */

static void make_leftovers(struct store *store, char digit, char name[DIGEST_HEX_LEN + 1])
{
	int fd;

	fixture_digest(digit, name);
	assert_int_equal(mkdirat(store->containers_fd, name, 0700), 0);
	assert_int_equal(mkdirat(store->layers_fd, name, 0700), 0);
	fd = openat(store->blobs_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void test_what_a_kill_has_left_is_no_fault(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	char name[DIGEST_HEX_LEN + 1], text[512];

	open_store(state, &store);
	make_leftovers(&store, '2', name);
	/* They may be about to get their rows. */
	assert_told(&store, false, &watch, "");
	ahead_s = 90;
	snprintf(text, sizeof(text),
		 "-layers/%.23s: nothing in the database names it: "
		 "the next pull or rm removes it\n"
		 "-blobs/sha256/%.17s: nothing in the database names it: "
		 "the next pull or rm removes it\n"
		 "-containers/%.19s: a container whose making was interrupted: "
		 "the next pull or rm removes it\n",
		 name, name, name);
	assert_told(&store, false, &watch, text);
	assert_int_equal(watch.result.leftovers, 3);
	assert_int_equal(watch.result.faults, 0);
	snprintf(text, sizeof(text),
		 "+layers/%.23s: nothing in the database names it: removed\n"
		 "+blobs/sha256/%.17s: nothing in the database names it: removed\n"
		 "+containers/%.19s: a container whose making was interrupted: removed\n",
		 name, name, name);
	assert_told(&store, true, &watch, text);
	assert_int_equal(watch.result.faults, 0);
	ahead_s = 0;
	assert_told(&store, false, &watch, "");
	assert_int_equal(faccessat(store.containers_fd, name, F_OK, 0), -1);
	buf_release(&watch.told);
}

/* Nobody is about to name a layer or a blob while one has the store alone, however young. */
static void test_a_repair_does_not_wait(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	char name[DIGEST_HEX_LEN + 1], text[512];

	open_store(state, &store);
	make_leftovers(&store, '2', name);
	snprintf(text, sizeof(text),
		 "+layers/%.23s: nothing in the database names it: removed\n"
		 "+blobs/sha256/%.17s: nothing in the database names it: removed\n",
		 name, name);
	assert_told(&store, true, &watch, text);
	assert_int_equal(faccessat(store.containers_fd, name, F_OK, 0), 0);
	buf_release(&watch.told);
}

/* --- layers --- */

static void test_a_layer_is_exchanged(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	char id[DIGEST_HEX_LEN + 1];

	open_store(state, &store);
	put_image(&store, id);
	assert_told(&store, false, &watch, "");
	assert_int_equal(watch.unpacked, 1);
	watch.difference = "etc: it is missing";
	assert_told(
		&store, false, &watch,
		"-layer 111111111111: etc: it is missing: cman fsck --repair unpacks it again\n");
	assert_false(has_new(&store));
	assert_told(&store, true, &watch,
		    "+layer 111111111111: etc: it is missing: unpacked again\n");
	assert_true(has_new(&store));
	/* Nothing is left of the old one. */
	assert_int_equal(unlinkat(store.root_fd, "tmp", AT_REMOVEDIR), 0);
	buf_release(&watch.told);
}

static void test_under_a_container_it_is_not(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT, .difference = "etc: it is missing" };
	char id[DIGEST_HEX_LEN + 1];
	struct container_record record = {
		.name = (char *)"bird",
		.image = (char *)"x",
		.image_id = id,
		.command = (char *)"[]",
		.state = CONTAINER_PAUSED,
	};
	struct err err = ERR_INIT;
	int dir = -1;

	open_store(state, &store);
	put_image(&store, id);
	assert_int_equal(container_id_generate(record.id, &err), 0);
	assert_int_equal(container_insert(&store, &record, &err), 0);
	assert_int_equal(container_dir_create(&store, record.id, &dir, &err), 0);
	close(dir);
	assert_told(&store, true, &watch,
		    "-layer 111111111111: etc: it is missing:"
		    " containers or mounts are on it: end them first\n");
	assert_false(has_new(&store));
	sql(&store, "UPDATE container SET state = 'exited'");
	assert_told(&store, true, &watch,
		    "+layer 111111111111: etc: it is missing: unpacked again\n");
	assert_true(has_new(&store));
	buf_release(&watch.told);
}

static void test_a_blob_that_does_not_give_it(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT, .failure = ERR_CORRUPT };
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1], layer[DIGEST_HEX_LEN + 1], text[256];

	open_store(state, &store);
	put_image(&store, id);
	assert_int_equal(sha256_hex("layer", 5, layer), 0);
	snprintf(text, sizeof(text),
		 "-layer 111111111111: blob sha256:%.12s does not give it: it is bad: \n", layer);
	assert_told(&store, true, &watch, text);
	/* Any other failure ends it, and names the layer. */
	watch.failure = ERR_SYS;
	assert_int_equal(check(&store, true, &watch, &err), -EBADMSG);
	assert_string_equal(err.text, "layer 111111111111: it is bad");
	buf_release(&watch.told);
}

/* Every blob that an image has for it: one that is paired with another's tree is found. */
static void test_each_blob_is_unpacked(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1], other[DIGEST_HEX_LEN + 1], manifest[DIGEST_HEX_LEN + 1];
	char text[1024];

	open_store(state, &store);
	put_image(&store, id);
	if (blob_put(&store, "other", 5, other, &err) < 0 ||
	    blob_put(&store, "manifest of the other", 21, manifest, &err) < 0)
		fail_msg("%s", err.text);
	snprintf(text, sizeof(text),
		 "INSERT INTO manifest VALUES ('%s', '%s', 'm', 2);"
		 "INSERT INTO manifest_blob VALUES ('%s', 0, '%s', 64, 'c');"
		 "INSERT INTO manifest_blob VALUES ('%s', 1, '%s', 5, 'l');",
		 manifest, id, manifest, id, manifest, other);
	sql(&store, text);
	snprintf(watch.bad, sizeof(watch.bad), "%s", other);
	snprintf(text, sizeof(text),
		 "-layer 111111111111: blob sha256:%.12s does not give it: it is bad: \n", other);
	assert_told(&store, false, &watch, text);
	assert_int_equal(watch.unpacked, 2);
	buf_release(&watch.told);
}

/* --- rows --- */

static void test_rows_that_lie(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	char id[DIGEST_HEX_LEN + 1];

	open_store(state, &store);
	put_image(&store, id);
	sql(&store, "PRAGMA foreign_keys = 0;"
		    "INSERT INTO image_name VALUES ('lost', 'nobody', NULL, NULL);"
		    "INSERT INTO blob VALUES ('../../etc/passwd', 1, 1, 1);"
		    "INSERT INTO layer VALUES ('..', '..', 1, 1, 1);");
	assert_told(&store, true, &watch,
		    "-database: 1 rows of image_name name rows of image that are not there: \n"
		    "-database: a row of blob is called ../../etc/passwd, which is no digest: \n"
		    "-database: a row of layer is called .., which is no digest: \n");
	buf_release(&watch.told);
}

static void test_layers_in_the_wrong_order(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	char id[DIGEST_HEX_LEN + 1], manifest[DIGEST_HEX_LEN + 1], text[256];

	open_store(state, &store);
	put_image(&store, id);
	fixture_layer(&store, '2');
	sql(&store, "INSERT INTO image_layer SELECT id, 1, replace(tree, '1', '2')"
		    " FROM image, image_layer");
	sql(&store, "UPDATE layer SET named = 1");
	assert_int_equal(sha256_hex("manifest", 8, manifest), 0);
	snprintf(text, sizeof(text),
		 "-image x:latest: its layers are not those that its configuration names:"
		 " pull it again\n"
		 "-image x:latest: manifest sha256:%.12s does not fit its layers: pull it again\n",
		 manifest);
	assert_told(&store, false, &watch, text);
	buf_release(&watch.told);
}

static void test_a_form_that_lies(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	char id[DIGEST_HEX_LEN + 1];
	struct err err = ERR_INIT;

	open_store(state, &store);
	put_image(&store, id);
	/* None is no fault. */
	assert_told(&store, true, &watch, "");
	assert_int_equal(image_flat_put(&store, id, FLAT_MAGIC "{}", 6, &err), 0);
	assert_told(&store, false, &watch,
		    "-image x:latest: the flat form of its configuration is another's:"
		    " cman fsck --repair makes it anew\n");
	assert_told(
		&store, true, &watch,
		"+image x:latest: the flat form of its configuration is another's: made anew\n");
	assert_told(&store, false, &watch, "");
	buf_release(&watch.told);
}

static void test_a_configuration_that_has_no_form(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	const struct fsck_options options = { .fault = on_fault,
					      .unpack = on_unpack,
					      .flatten = on_flatten,
					      .quick = true,
					      .data = &watch };
	struct fsck_result result;
	char id[DIGEST_HEX_LEN + 1];
	struct err err = ERR_INIT;

	open_store(state, &store);
	put_image(&store, id);
	assert_int_equal(image_flat_put(&store, id, FLAT_MAGIC "{}", 6, &err), 0);
	sql(&store, "DELETE FROM image_layer; DELETE FROM manifest_blob WHERE position = 1");
	watch.failure = ERR_INVALID;
	assert_told(&store, true, &watch,
		    "-image x:latest: its configuration is none: it is bad: remove it\n");
	watch.failure = ERR_SYS;
	assert_int_equal(check(&store, true, &watch, &err), -EBADMSG);
	assert_string_equal(err.text, "it is bad");
	/* What reads no content does not ask. */
	buf_reset(&watch.told);
	assert_int_equal(store_fsck(&store, &options, &result, &err), 0);
	assert_int_equal(watch.told.len, 0);
	buf_release(&watch.told);
}

/* --- who waits for whom --- */

static void test_interrupted(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	const struct fsck_options options = {
		.fault = on_fault, .unpack = on_unpack, .poll = on_poll, .data = &watch
	};
	struct fsck_result result = { .is_whole = true };
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1];

	open_store(state, &store);
	put_image(&store, id);
	watch.polls = 1;
	assert_int_equal(store_fsck(&store, &options, &result, &err), -EINTR);
	assert_false(result.is_whole);
	/* in the middle of a layer: it is no fault of that */
	watch.polls = 1000;
	watch.failure = ERR_STATE;
	assert_int_equal(store_fsck(&store, &options, &result, &err), -EINTR);
	assert_string_equal(err.text, "it is bad");
	assert_int_equal(watch.told.len, 0);
}

static void test_a_repair_is_alone(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct watch watch = { .told = BUF_INIT };
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1];
	int held = -1, again = -1;

	open_store(state, &store);
	put_image(&store, id);
	assert_int_equal(store_hold(&store, &held, &err), 0);
	assert_int_equal(store_hold(&store, &again, &err), 0); /* any number of them */
	assert_int_equal(check(&store, true, &watch, &err), -EAGAIN);
	assert_string_equal(err.text, "another cman is getting, making or sending an image");
	assert_string_equal(err.hint, "try again when it is done");
	assert_told(&store, false, &watch, ""); /* a check needs not */
	close(held);
	close(again);
	assert_told(&store, true, &watch, "");
	buf_release(&watch.told);
}

/* Who makes an image waits until nobody is alone any more. */
static void test_makers_wait(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	int alone = -1, status = 0;
	pid_t pid;

	open_store(state, &store);
	assert_int_equal(store_hold_alone(&store, &alone, &err), 0);
	pid = fork();
	if (pid == 0) {
		int held = -1;

		close(alone); /* the lock is the parent's as well */
		alarm(20);
		_exit(store_hold(&store, &held, &err) < 0);
	}
	usleep(50000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	close(alone);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_what_a_kill_has_left_is_no_fault),
		SCRATCH_TEST(test_a_repair_does_not_wait),
		SCRATCH_TEST(test_a_layer_is_exchanged),
		SCRATCH_TEST(test_under_a_container_it_is_not),
		SCRATCH_TEST(test_a_blob_that_does_not_give_it),
		SCRATCH_TEST(test_each_blob_is_unpacked),
		SCRATCH_TEST(test_rows_that_lie),
		SCRATCH_TEST(test_layers_in_the_wrong_order),
		SCRATCH_TEST(test_a_form_that_lies),
		SCRATCH_TEST(test_a_configuration_that_has_no_form),
		SCRATCH_TEST(test_interrupted),
		SCRATCH_TEST(test_a_repair_is_alone),
		SCRATCH_TEST(test_makers_wait),
	};

	return cmocka_run_group_tests_name("fsck", tests, NULL, NULL);
}
