/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs and manifests: kept under their digests, named by images, and gone with the last one. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"
#include "store/blobs.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/partials.h"
#include "store/store.h"
#include "store/sweep.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/scratch.h"

static void open_store(void **state, struct store *store)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;

	if (store_open(s->path, store, &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_content(struct store *store, const char *digest, const char *text)
{
	struct err err = ERR_INIT;
	AUTO_CLOSE int fd = -1;
	char got[64] = "";
	int64_t size = -1;

	if (blob_open(store, digest, &fd, &size, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(size, strlen(text));
	assert_int_equal(fd_read_all(fd, got, sizeof(got) - 1), size);
	assert_string_equal(got, text);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void digest_of(const char *text, char digest[DIGEST_HEX_LEN + 1])
{
	assert_int_equal(sha256_hex(text, strlen(text), digest), 0);
}

static void ignore_removed(const char *what, bool deleted, void *data)
{
	(void)what;
	(void)deleted;
	(void)data;
}

static void remove_image(struct store *store, const char *what)
{
	struct err err = ERR_INIT;

	if (image_remove(store, what, false, ignore_removed, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* --- blobs --- */

static void test_a_draft_becomes_a_blob(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct blob_draft draft = BLOB_DRAFT_INIT;
	struct err err = ERR_INIT;
	char digest[DIGEST_HEX_LEN + 1];

	open_store(state, &store);
	digest_of("abc", digest);
	assert_int_equal(blob_draft_begin(&store, &draft, &err), 0);
	assert_int_equal(fcntl(draft.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fd_write_all(draft.fd, "abc", 3), 0);
	assert_false(blob_exists(&store, digest));
	assert_int_equal(store_sync(&store, &err), 0);
	assert_int_equal(blob_draft_commit(&store, &draft, digest, &err), 0);
	assert_int_equal(draft.fd, -1);
	assert_true(blob_exists(&store, digest));
	blob_draft_abort(&store, &draft); /* harmless now */
	assert_content(&store, digest, "abc");
	/* Where image-spec says, and nothing beside it: rmdir(2) takes empty directories only. */
	assert_int_equal(faccessat(store.root_fd,
				   "blobs/sha256/ba7816bf8f01cfea414140de5dae2223"
				   "b00361a396177a9cb410ff61f20015ad",
				   F_OK, 0),
			 0);
	assert_int_equal(unlinkat(store.root_fd, "tmp", AT_REMOVEDIR), 0);
}

static void test_the_first_of_two_stays(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct blob_draft draft = BLOB_DRAFT_INIT;
	struct err err = ERR_INIT;
	char digest[DIGEST_HEX_LEN + 1];
	struct stat before, after;

	open_store(state, &store);
	assert_int_equal(blob_put(&store, "abc", 3, digest, &err), 0);
	assert_int_equal(fstatat(store.blobs_fd, digest, &before, 0), 0);
	assert_int_equal(blob_put(&store, "abc", 3, digest, &err), 0);
	assert_int_equal(blob_draft_begin(&store, &draft, &err), 0);
	assert_int_equal(blob_draft_commit(&store, &draft, digest, &err), 0);
	assert_int_equal(fstatat(store.blobs_fd, digest, &after, 0), 0);
	assert_true(before.st_ino == after.st_ino);
	assert_content(&store, digest, "abc");
	assert_int_equal(unlinkat(store.root_fd, "tmp", AT_REMOVEDIR), 0);
}

static void test_abort_removes_the_draft(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct blob_draft draft = BLOB_DRAFT_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	blob_draft_abort(&store, &draft);
	assert_int_equal(blob_draft_begin(&store, &draft, &err), 0);
	blob_draft_abort(&store, &draft);
	assert_int_equal(draft.fd, -1);
	assert_int_equal(unlinkat(store.root_fd, "tmp", AT_REMOVEDIR), 0);
}

static void test_a_missing_blob_is_named(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char digest[DIGEST_HEX_LEN + 1], text[128];
	int64_t size = 0;
	int fd = -1;

	open_store(state, &store);
	fixture_digest('7', digest);
	assert_int_equal(blob_open(&store, digest, &fd, &size, &err), -ENOENT);
	snprintf(text, sizeof(text), "blob sha256:%s is not in the store", digest);
	assert_string_equal(err.text, text);
	assert_int_equal(fd, -1);
}

static void test_a_partial_becomes_a_blob(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct partial partial = PARTIAL_INIT;
	struct err err = ERR_INIT;
	char digest[DIGEST_HEX_LEN + 1];

	open_store(state, &store);
	digest_of("abc", digest);
	for (int i = 0; i < 2; i++) { /* the second time it is there */
		assert_int_equal(partial_open(&store, "key", &partial, &err), 0);
		assert_int_equal(partial.size, 0);
		assert_int_equal(partial_set_validator(&store, &partial, "v", &err), 0);
		assert_int_equal(fd_write_all(partial.fd, "abc", 3), 0);
		assert_int_equal(blob_adopt_partial(&store, &partial, digest, &err), 0);
		assert_int_equal(partial.fd, -1);
		assert_content(&store, digest, "abc");
	}
	assert_int_equal(unlinkat(store.root_fd, "tmp", AT_REMOVEDIR), 0);
}

/* --- manifests --- */

/* An image of one layer with the manifest `document`, whose config and layer blob come along. */
static int put(struct store *store, char id, const char *document, const char *layer_blob,
	       const char *name, struct err *err)
{
	struct image_layer layer = { .size = 10 };
	struct image_blob blobs[2] = {
		{ .media_type = (char *)"config/type" },
		{ .media_type = (char *)"layer/type" },
	};
	struct image_manifest manifest = {
		.media_type = (char *)"manifest/type",
		.blobs = blobs,
		.nblobs = 2,
	};
	struct image_record image = {
		.config = "{}",
		.created_ns = id,
		.size = -1,
		.layers = &layer,
		.nlayers = 1,
	};

	fixture_digest(id, image.id);
	fixture_digest('1', layer.diff_id);
	fixture_digest('1', layer.tree);
	if (blob_put(store, document, strlen(document), manifest.digest, err) < 0 ||
	    blob_put(store, "{}", 2, blobs[0].digest, err) < 0 ||
	    blob_put(store, layer_blob, strlen(layer_blob), blobs[1].digest, err) < 0)
		return err_code(err);
	blobs[0].size = 2;
	blobs[1].size = (int64_t)strlen(layer_blob);
	fixture_layer(store, '1');
	return image_put(store, &image, &manifest, name, "sha256:published", err);
}

static bool has(struct store *store, const char *text)
{
	char digest[DIGEST_HEX_LEN + 1];

	digest_of(text, digest);
	return blob_exists(store, digest);
}

static void assert_manifest(struct store *store, const char *what, const char *document)
{
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	struct err err = ERR_INIT;

	if (image_manifest_get(store, what, &manifest, &err) < 0)
		fail_msg("%s", err.text);
	assert_content(store, manifest.digest, document);
}

static void test_a_manifest_is_kept(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;
	char digest[DIGEST_HEX_LEN + 1];

	open_store(state, &store);
	assert_int_equal(put(&store, 'a', "m1", "l1", "x:latest", &err), 0);
	assert_int_equal(image_manifest_get(&store, "x", &manifest, &err), 0);
	digest_of("m1", digest);
	assert_string_equal(manifest.digest, digest);
	assert_string_equal(manifest.media_type, "manifest/type");
	assert_int_equal(manifest.nblobs, 2);
	digest_of("{}", digest);
	assert_string_equal(manifest.blobs[0].digest, digest);
	assert_string_equal(manifest.blobs[0].media_type, "config/type");
	digest_of("l1", digest);
	assert_string_equal(manifest.blobs[1].digest, digest);
	assert_int_equal(manifest.blobs[1].size, 2);
	assert_int_equal(image_find(&store, "x", &image, &err), 0);
	assert_string_equal(image.names[0].digest, "sha256:published");
	assert_int_equal(image.size, 10); /* -1: the sum over its layers */
}

static void test_a_lost_blob_is_refused(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct image_record image = { .config = "{}" };
	struct image_manifest manifest = { .media_type = (char *)"t" };
	struct err err = ERR_INIT;
	char text[160];

	open_store(state, &store);
	fixture_digest('a', image.id);
	fixture_digest('7', manifest.digest);
	assert_int_equal(image_put(&store, &image, &manifest, "x:latest", NULL, &err), -ENOENT);
	snprintf(text, sizeof(text),
		 "cannot record image x:latest: blob sha256:%s is not in the store",
		 manifest.digest);
	assert_string_equal(err.text, text);
	assert_string_equal(err.hint, "it was removed meanwhile: pull again");
	/* Nothing of it is there. */
	assert_int_equal(image_manifest_get(&store, "aaaa", &manifest, &err), -ENOENT);
	assert_string_equal(err.text, "no such image: aaaa");
}

/* One image, published twice with its layers compressed differently. */
static void test_manifests_go_with_their_names(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(put(&store, 'a', "m1", "l1", "one:latest", &err), 0);
	assert_int_equal(put(&store, 'a', "m2", "l2", "two:latest", &err), 0);
	assert_manifest(&store, "one", "m1");
	assert_manifest(&store, "two", "m2");
	assert_manifest(&store, "aaaa", "m2");
	remove_image(&store, "two");
	assert_false(has(&store, "m2"));
	assert_false(has(&store, "l2"));
	assert_true(has(&store, "{}"));
	assert_manifest(&store, "aaaa", "m1");
	/* The name moves to another manifest of the same image. */
	assert_int_equal(put(&store, 'a', "m3", "l3", "one:latest", &err), 0);
	assert_manifest(&store, "one", "m3");
	assert_int_equal(store_sweep(&store, &err), 0);
	assert_false(has(&store, "m1"));
	assert_false(has(&store, "l1"));
	remove_image(&store, "one");
	assert_false(has(&store, "m3"));
	assert_false(has(&store, "l3"));
	assert_false(has(&store, "{}"));
}

/* An image that lost its name keeps its manifest: it can be saved and pushed by its ID. */
static void test_a_nameless_image_keeps_its_manifest(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(put(&store, 'a', "m1", "l1", "x:latest", &err), 0);
	assert_int_equal(put(&store, 'b', "m2", "l2", "x:latest", &err), 0);
	assert_int_equal(store_sweep(&store, &err), 0);
	assert_manifest(&store, "aaaa", "m1");
	assert_manifest(&store, "x", "m2");
	assert_int_equal(put(&store, 'c', "m4", "l4", NULL, &err), 0);
	assert_manifest(&store, "cccc", "m4");
	remove_image(&store, "aaaa");
	assert_false(has(&store, "m1"));
	assert_true(has(&store, "m2"));
}

static void test_tags(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(put(&store, 'a', "m1", "l1", "one:latest", &err), 0);
	assert_int_equal(put(&store, 'a', "m2", "l2", "two:latest", &err), 0);
	assert_int_equal(image_tag(&store, "one", "three:latest", &err), 0);
	assert_manifest(&store, "three", "m1");
	remove_image(&store, "one");
	assert_manifest(&store, "three", "m1");
	assert_int_equal(put(&store, 'b', "m3", "l3", "four:latest", &err), 0);
	assert_int_equal(image_tag(&store, "aaaa", "four:latest", &err), 0);
	assert_manifest(&store, "four", "m2");
	assert_int_equal(image_find(&store, "bbbb", &image, &err), 0);
	assert_int_equal(image.nnames, 0);
	assert_int_equal(image_tag(&store, "nothing", "five:latest", &err), -ENOENT);
	assert_string_equal(err.text, "no such image: nothing");
}

/* --- holding --- */

static void test_nothing_goes_while_an_image_is_made(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char layer[DIGEST_HEX_LEN + 1];
	int held = -1;

	open_store(state, &store);
	fixture_digest('1', layer);
	assert_int_equal(put(&store, 'a', "m1", "l1", "one:latest", &err), 0);
	assert_int_equal(store_hold(&store, &held, &err), 0);
	remove_image(&store, "one");
	assert_int_equal(store_sweep(&store, &err), 0);
	assert_true(has(&store, "m1"));
	assert_true(layer_exists(&store, layer));
	/* What was found there is named again … */
	assert_int_equal(put(&store, 'b', "m2", "l1", "two:latest", &err), 0);
	close(held);
	/* … and the rest goes with the next sweep. */
	assert_int_equal(store_sweep(&store, &err), 0);
	assert_false(has(&store, "m1"));
	assert_true(has(&store, "l1"));
	assert_true(layer_exists(&store, layer));
}

static void test_a_mounted_image_stays(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1];
	AUTO_CLOSE int images = -1;

	open_store(state, &store);
	assert_int_equal(put(&store, 'a', "m1", "l1", "one:latest", &err), 0);
	fixture_digest('a', id);
	assert_false(image_is_mounted(&store, id));
	assert_int_equal(mkdirat(store.run_fd, "images", 0700), 0);
	images = openat(store.run_fd, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(images, id, 0700), 0);
	assert_true(image_is_mounted(&store, id));
	assert_int_equal(image_remove(&store, "one", true, ignore_removed, NULL, &err), -EBUSY);
	assert_string_equal(err.text, "image one is mounted");
	assert_string_equal(err.hint, "unmount it first: cman image unmount one");
	assert_int_equal(unlinkat(images, id, AT_REMOVEDIR), 0);
	remove_image(&store, "one");
	assert_false(has(&store, "m1"));
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_a_draft_becomes_a_blob),
		SCRATCH_TEST(test_the_first_of_two_stays),
		SCRATCH_TEST(test_abort_removes_the_draft),
		SCRATCH_TEST(test_a_missing_blob_is_named),
		SCRATCH_TEST(test_a_partial_becomes_a_blob),
		SCRATCH_TEST(test_a_manifest_is_kept),
		SCRATCH_TEST(test_a_lost_blob_is_refused),
		SCRATCH_TEST(test_manifests_go_with_their_names),
		SCRATCH_TEST(test_a_nameless_image_keeps_its_manifest),
		SCRATCH_TEST(test_tags),
		SCRATCH_TEST(test_nothing_goes_while_an_image_is_made),
		SCRATCH_TEST(test_a_mounted_image_stays),
	};

	return cmocka_run_group_tests_name("blobs", tests, NULL, NULL);
}
