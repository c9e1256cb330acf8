/* SPDX-License-Identifier: Apache-2.0 */
/* Images: put, found by all their names, and removed with what only they needed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/containers.h"
#include "store/db.h"
#include "store/flat.h"
#include "store/images.h"
#include "store/images_flat.h"
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

static void put(struct store *store, char id, const char *layers, const char *name)
{
	struct err err = ERR_INIT;

	for (const char *l = layers; *l; l++)
		fixture_layer(store, *l);
	if (fixture_image(store, id, layers, name, &err) < 0)
		fail_msg("%s", err.text);
}

static void use(struct store *store, const char *name, char image)
{
	char image_id[DIGEST_HEX_LEN + 1];
	struct container_record record = {
		.name = (char *)name,
		.image = (char *)"i",
		.image_id = (char *)fixture_digest(image, image_id),
		.command = (char *)"[]",
	};
	struct err err = ERR_INIT;

	if (container_id_generate(record.id, &err) < 0 ||
	    container_insert(store, &record, &err) < 0)
		fail_msg("%s", err.text);
}

static bool has_layer(struct store *store, char digit)
{
	char id[DIGEST_HEX_LEN + 1];

	return layer_exists(store, fixture_digest(digit, id));
}

static void note_removed(const char *what, bool deleted, void *data)
{
	buf_addf(data, "%s%.12s ", deleted ? "-" : "", what);
}

static void assert_removes(struct store *store, const char *what, bool force, const char *expected)
{
	AUTO_BUF struct buf removed = BUF_INIT;
	struct err err = ERR_INIT;

	if (image_remove(store, what, force, note_removed, &removed, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(removed.data ? removed.data : "", expected);
}

static void assert_keeps(struct store *store, const char *what, bool force, const char *text,
			 const char *hint)
{
	AUTO_BUF struct buf removed = BUF_INIT;
	struct err err = ERR_INIT;

	assert_true(image_remove(store, what, force, note_removed, &removed, &err) < 0);
	assert_string_equal(err.text, text);
	assert_string_equal(err.hint, hint);
	assert_null(removed.data);
}

/* --- putting and finding --- */

static void test_put_and_find(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record found = IMAGE_RECORD_INIT;
	AUTO_FREE char *config = NULL;
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 8] = "sha256:";

	open_store(state, &store);
	put(&store, 'a', "12", "ubuntu-base:24.04");
	put(&store, 'a', "12", "ubuntu-base:latest");
	put(&store, 'b', "13", "other");

	assert_int_equal(image_find(&store, "ubuntu-base", &found, &err), 0);
	assert_null(found.config);
	assert_int_equal(image_config_text(&store, found.id, &config, &err), 0);
	assert_string_equal(config, "{\"os\":\"linux\"}");
	assert_string_equal(found.source, "https://example.org/x.tar");
	assert_string_equal(found.source_digest, "sha256:0");
	assert_int_equal(found.created_ns, 'a');
	assert_int_equal(found.size, 100);
	assert_int_equal(found.nlayers, 2);
	assert_int_equal(found.layers[0].diff_id[0], '1');
	assert_int_equal(found.layers[1].diff_id[0], '2');
	assert_int_equal(found.layers[1].size, 11);
	assert_int_equal(found.nnames, 2);
	assert_string_equal(found.names[0].name, "ubuntu-base:24.04");
	assert_string_equal(found.names[1].name, "ubuntu-base:latest");
	image_record_release(&found);

	fixture_digest('b', id + 7);
	assert_int_equal(image_find(&store, id, &found, &err), 0);
	assert_string_equal(found.names[0].name, "other");
	image_record_release(&found);
	assert_int_equal(image_find(&store, "bbbb", &found, &err), 0);
	image_record_release(&found);

	assert_int_equal(image_find(&store, "bbb", &found, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_string_equal(err.text, "no such image: bbb");
	assert_int_equal(image_find(&store, "ubuntu-base:22.04", &found, &err), -ENOENT);
}

/* --- flat forms --- */

static int put_with_form(struct store *store, const char *form, struct err *err)
{
	struct image_record image = { .config = "{}", .flat = form, .flat_len = strlen(form) };

	fixture_digest('a', image.id);
	return image_put(store, &image, NULL, "x:latest", NULL, err);
}

static void assert_form(struct store *store, const char *expected)
{
	AUTO_FREE char *form = NULL;
	char id[DIGEST_HEX_LEN + 1];
	struct err err = ERR_INIT;
	size_t len = 0;

	assert_int_equal(image_flat_get(store, fixture_digest('a', id), &form, &len, &err), 0);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(form ? form : "", expected, len);
}

static void test_flat_forms(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1];
	int64_t n;

	open_store(state, &store);
	fixture_digest('a', id);
	/* Nothing to keep it with. */
	assert_int_equal(image_flat_put(&store, id, FLAT_MAGIC "x", 5, &err), 0);
	assert_form(&store, "");
	put(&store, 'a', "1", "x:latest");
	assert_form(&store, "");
	assert_int_equal(image_flat_put(&store, id, FLAT_MAGIC "x", 5, &err), 0);
	assert_form(&store, FLAT_MAGIC "x");
	/* Of another version: as good as none. */
	assert_int_equal(image_flat_put(&store, id, "CMF0x", 5, &err), 0);
	assert_form(&store, "");
	assert_int_equal(image_flat_put(&store, id, FLAT_MAGIC "y", 5, &err), 0);
	assert_form(&store, FLAT_MAGIC "y");
	assert_removes(&store, "x", false, "x:latest -aaaaaaaaaaaa ");
	assert_int_equal(
		db_query_int(store.db, "SELECT count(*) FROM image_flat", NULL, 7, &n, &err), 0);
	assert_int_equal(n, 0);
}

/* Who had the stage in hand that read one image cannot say what another of the same ID is. */
static void test_another_form_is_refused(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1];

	open_store(state, &store);
	assert_int_equal(put_with_form(&store, FLAT_MAGIC "evil", &err), 0);
	assert_int_equal(put_with_form(&store, FLAT_MAGIC "evil", &err), 0);
	assert_int_equal(put_with_form(&store, FLAT_MAGIC "good", &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_string_equal(err.text,
			    "cannot record image x:latest: image aaaaaaaaaaaa is here with "
			    "another configuration");
	assert_string_equal(err.hint, "remove one that you do not trust: cman rmi aaaaaaaaaaaa");
	assert_form(&store, FLAT_MAGIC "evil");
	/* One that another version made is no reason. */
	assert_int_equal(image_flat_put(&store, fixture_digest('a', id), "CMF0x", 5, &err), 0);
	assert_int_equal(put_with_form(&store, FLAT_MAGIC "good", &err), 0);
	assert_form(&store, FLAT_MAGIC "good");
}

static void test_a_name_moves(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record found = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	put(&store, 'a', "1", "x:latest");
	put(&store, 'b', "2", "x:latest");
	assert_int_equal(image_find(&store, "x", &found, &err), 0);
	assert_int_equal(found.id[0], 'b');
	image_record_release(&found);
	assert_int_equal(image_find(&store, "aaaa", &found, &err), 0);
	assert_int_equal(found.nnames, 0);
}

static void test_ambiguous(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record found = IMAGE_RECORD_INIT;
	struct image_record image = { .config = "{}" };
	struct err err = ERR_INIT;

	open_store(state, &store);
	put(&store, 'a', "1", "x:latest");
	fixture_digest('a', image.id);
	image.id[63] = 'b';
	assert_int_equal(image_put(&store, &image, NULL, "y:latest", NULL, &err), 0);
	assert_int_equal(image_find(&store, "aaaa", &found, &err), -ENOTUNIQ);
	assert_int_equal(err.kind, ERR_AMBIGUOUS);
	assert_string_equal(err.text, "aaaa fits several images: aaaaaaaaaaaa, aaaaaaaaaaaa");
}

static void test_an_image_without_its_layer_is_refused(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record found = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	fixture_layer(&store, '1');
	assert_int_equal(fixture_image(&store, 'a', "12", "x:latest", &err), -ENOENT);
	assert_string_equal(err.text,
			    "cannot record image x:latest: layer 222222222222 is not in the store");
	assert_string_equal(err.hint, "it was removed meanwhile: pull again");
	assert_int_equal(image_find(&store, "x", &found, &err), -ENOENT);
	assert_int_equal(image_find(&store, "aaaa", &found, &err), -ENOENT);
}

static int note_image(const struct image_record *record, void *data, struct err *err)
{
	(void)err;
	buf_addf(data, "%c%zu ", record->id[0], record->nlayers);
	return record->id[0] == 'a' ? 5 : 0;
}

/* Its ID is the digest of its configuration, and that says which layers it has. */
static void test_an_image_keeps_its_layers(void **state)
{
	static const char *const others[] = { "13", "1", "123" };
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	for (const char *layer = "123"; *layer; layer++)
		fixture_layer(&store, *layer);
	assert_int_equal(fixture_image(&store, 'a', "12", "x:latest", &err), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(fixture_image(&store, 'a', others[i], "y:latest", &err), -EBADMSG);
		assert_int_equal(err.kind, ERR_CORRUPT);
	}
	assert_int_equal(fixture_image(&store, 'a', "12", "y:latest", &err), 0);
	assert_int_equal(image_find(&store, "x", &image, &err), 0);
	assert_int_equal(image.nlayers, 2);
}

static void test_walk(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_BUF struct buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	put(&store, 'b', "1", "b:latest");
	put(&store, 'c', "12", "c:latest");
	put(&store, 'a', "", "a:latest");
	assert_int_equal(image_each(&store, note_image, &seen, &err), 5);
	assert_string_equal(seen.data, "c2 b1 a0 ");
}

/* --- removing --- */

static int note_row(const struct image_row *row, void *data, struct err *err)
{
	(void)err;
	assert_int_equal(row->size, 100);
	assert_string_equal(row->source, "https://example.org/x.tar");
	assert_string_equal(row->source_digest, "sha256:0");
	assert_null(row->digest);
	buf_addf(data, "%c:%s ", row->id[0], row->name ? row->name : "-");
	return row->created_ns == 'a' ? 7 : 0;
}

static void test_list(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_BUF struct buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	put(&store, 'a', "1", "a");
	put(&store, 'b', "1", "b:2");
	put(&store, 'b', "1", "b:1");
	put(&store, 'c', "1", "x");
	put(&store, 'd', "1", "x");
	/* Newest first, each with its names in order; a visitor ends it. */
	assert_int_equal(image_list(&store, note_row, &seen, &err), 7);
	assert_string_equal(seen.data, "d:x c:- b:b:1 b:b:2 a:a ");
}

static int note_brief(const struct image_row *row, void *data, struct err *err)
{
	(void)err;
	assert_null(row->source);
	assert_null(row->source_digest);
	assert_null(row->digest);
	buf_addf(data, "%c:%s ", row->id[DIGEST_HEX_LEN - 1], row->name ? row->name : "-");
	return 0;
}

/* Names are the image's even where only the ends of IDs differ. */
static void test_list_of_like_ids(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_BUF struct buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	put(&store, 'a', "1", "a:1");
	put(&store, 'a', "1", "a:2");
	assert_int_equal(
		db_exec(store.db,
			"INSERT INTO image SELECT substr(id, 2) || '0', config, source, source_digest,"
			" created_ns, size FROM image;"
			"INSERT INTO image SELECT substr(id, 2) || 'f', config, source, source_digest,"
			" created_ns, size FROM image WHERE id LIKE '%a';"
			"INSERT INTO image_name (name, image_id)"
			" SELECT 'x:' || substr(id, 64), id FROM image WHERE id NOT LIKE '%a'",
			&err),
		0);
	assert_int_equal(image_list_brief(&store, note_brief, &seen, &err), 0);
	assert_string_equal(seen.data, "f:x:f a:a:1 a:a:2 0:x:0 ");
	buf_reset(&seen);
	assert_int_equal(db_exec(store.db, "DELETE FROM image_name WHERE name != 'x:0'", &err), 0);
	assert_int_equal(image_list_brief(&store, note_brief, &seen, &err), 0);
	assert_string_equal(seen.data, "f:- a:- 0:x:0 ");
}

static void test_list_of_a_damaged_id(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_BUF struct buf seen = BUF_INIT, expected = BUF_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	put(&store, 'a', "1", "a");
	assert_int_equal(
		db_exec(store.db, "PRAGMA foreign_keys=OFF; UPDATE image SET id = 'aaaa'", &err),
		0);
	buf_addf(&expected, "%s/cman.db is damaged: an image has the ID aaaa", store.root);
	assert_int_equal(image_list_brief(&store, note_brief, &seen, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_string_equal(err.text, expected.data);
	assert_null(seen.data);
	buf_release(&expected);
}

static void test_remove_takes_only_what_nothing_else_needs(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;

	open_store(state, &store);
	put(&store, 'a', "12", "a:latest");
	put(&store, 'b', "13", "b:latest");
	assert_removes(&store, "a", false, "a:latest -aaaaaaaaaaaa ");
	assert_true(has_layer(&store, '1'));
	assert_false(has_layer(&store, '2'));
	assert_removes(&store, "b", false, "b:latest -bbbbbbbbbbbb ");
	assert_false(has_layer(&store, '1'));
	assert_false(has_layer(&store, '3'));
	assert_keeps(&store, "a", false, "no such image: a",
		     "cman images lists what there is, cman pull gets more");
}

static void test_one_name_of_several(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;

	open_store(state, &store);
	put(&store, 'a', "1", "a:1");
	put(&store, 'a', "1", "a:2");
	put(&store, 'a', "1", "a:3");
	use(&store, "bird", 'a');
	assert_removes(&store, "a:2", false, "a:2 ");
	assert_true(has_layer(&store, '1'));
	assert_keeps(&store, "aaaa", false, "image aaaa is in use by container bird",
		     "remove the container first: cman rm bird");
}

static void test_an_id_takes_all_names(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;

	open_store(state, &store);
	put(&store, 'a', "1", "a:1");
	put(&store, 'a', "1", "a:2");
	assert_keeps(&store, "aaaa", false, "image aaaa has several names: a:1, a:2",
		     "remove it with all of them: cman rmi -f aaaa");
	assert_removes(&store, "aaaa", true, "a:1 a:2 -aaaaaaaaaaaa ");
}

static void test_in_use(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;

	open_store(state, &store);
	put(&store, 'a', "1", "a:latest");
	use(&store, "c1", 'a');
	use(&store, "c2", 'a');
	use(&store, "c3", 'a');
	use(&store, "c4", 'a');
	use(&store, "c5", 'a');
	assert_keeps(&store, "a", false, "image a is in use by containers c1, c2, c3 and 2 more",
		     "remove these containers first, or just the name with: cman rmi -f a");
	assert_removes(&store, "a", true, "a:latest ");
	assert_true(has_layer(&store, '1'));
	/* Nothing is left that force could do. */
	assert_keeps(&store, "aaaa", true,
		     "image aaaa is in use by containers c1, c2, c3 and 2 more",
		     "remove these containers first: cman rm c1");
}

static void test_a_container_needs_its_image(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	char image_id[DIGEST_HEX_LEN + 1];
	struct container_record record = {
		.name = (char *)"bird",
		.image = (char *)"gone:latest",
		.image_id = (char *)fixture_digest('f', image_id),
		.command = (char *)"[]",
	};
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(container_id_generate(record.id, &err), 0);
	assert_int_equal(container_insert(&store, &record, &err), -ENOENT);
	assert_string_equal(err.text, "image gone:latest was removed meanwhile");
}

/* --- two at once --- */

/* Put and remove the same image in a loop, as `cman pull` and `cman rmi` side by side would. */
static int contend(const char *root, char id, int rounds)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_BUF struct buf removed = BUF_INIT;
	struct err err = ERR_INIT;
	char name[16];

	snprintf(name, sizeof(name), "%c:latest", id);
	if (store_open(root, &store, &err) < 0)
		return 1;
	for (int i = 0; i < rounds; i++) {
		int r;

		fixture_layer(&store, '1');
		r = fixture_image(&store, id, "1", name, &err);
		/* The other has removed the layer in between: told, and nothing half done. */
		if (r == -ENOENT)
			continue;
		if (r == 0) {
			AUTO_IMAGE_RECORD struct image_record found = IMAGE_RECORD_INIT;

			r = image_find(&store, name, &found, &err);
			if (r == 0 && !has_layer(&store, '1')) {
				fprintf(stderr, "an image without its layer\n");
				return 2;
			}
		}
		if (r == 0)
			r = image_remove(&store, name, false, note_removed, &removed, &err);
		if (r < 0) {
			fprintf(stderr, "%c: %s\n", id, err.text);
			return 3;
		}
	}
	return 0;
}

static void test_pull_and_rmi_side_by_side(void **state)
{
	const struct scratch *s = *state;
	AUTO_STORE struct store store = STORE_INIT;
	int status;
	pid_t pids[3];

	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(contend(s->path, (char)('a' + i), 40));
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	open_store(state, &store);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_put_and_find),
		SCRATCH_TEST(test_flat_forms),
		SCRATCH_TEST(test_another_form_is_refused),
		SCRATCH_TEST(test_a_name_moves),
		SCRATCH_TEST(test_ambiguous),
		SCRATCH_TEST(test_an_image_without_its_layer_is_refused),
		SCRATCH_TEST(test_an_image_keeps_its_layers),
		SCRATCH_TEST(test_walk),
		SCRATCH_TEST(test_list),
		SCRATCH_TEST(test_list_of_like_ids),
		SCRATCH_TEST(test_list_of_a_damaged_id),
		SCRATCH_TEST(test_remove_takes_only_what_nothing_else_needs),
		SCRATCH_TEST(test_one_name_of_several),
		SCRATCH_TEST(test_an_id_takes_all_names),
		SCRATCH_TEST(test_in_use),
		SCRATCH_TEST(test_a_container_needs_its_image),
		SCRATCH_TEST(test_pull_and_rmi_side_by_side),
	};

	return cmocka_run_group_tests_name("images", tests, NULL, NULL);
}
