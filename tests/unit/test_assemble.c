/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that have come in become an image: image/assemble.c, image/manifest_make.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/assemble.h"
#include "image/descriptor.h"
#include "image/stack_id.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"
#include "store/layers.h"
#include "store/store.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/scratch.h"

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
#define CONFIG "{\"os\":\"linux\"}"

static struct store open_store(const struct scratch *scratch)
{
	struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char root[80];

	snprintf(root, sizeof(root), "%s/root", scratch->path);
	if (store_open(root, &store, &err) < 0)
		fail_msg("%s", err.text);
	return store;
}

/*
 * What an intake is at its end: the blob `bytes`, and a tree with a file in the directory "dir" of
 * `mode`.
 */
static void make_fresh(struct store *store, const char *bytes, char diff_id, mode_t mode,
		       struct intake *out)
{
	struct err err = ERR_INIT;
	AUTO_CLOSE int dir = -1;

	*out = (struct intake)INTAKE_INIT;
	out->options.store = store;
	out->ingest.store = store;
	if (layer_draft_begin(store, &out->ingest.draft, &err) < 0 ||
	    blob_draft_begin(store, &out->blob, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(mkdirat(out->ingest.draft.fd, "dir", mode), 0);
	dir = openat(out->ingest.draft.fd, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fd_replace_file(dir, "file", 0644, &diff_id, 1, false, &err), 0);
	assert_int_equal(fd_write_all(out->blob.fd, bytes, strlen(bytes)), 0);
	assert_int_equal(sha256_hex(bytes, strlen(bytes), out->digest), 0);
	memcpy(out->magic, bytes, 2);
	out->size = (int64_t)strlen(bytes);
	fixture_digest(diff_id, out->ingest.diff_id);
	out->ingest.result.size = 1;
	out->ingest.result.entries = 2;
}

/* The archive named "dir" by nothing but its content. */
static void make_implicit(struct intake *intake)
{
	static const char marks[] = "Idir";
	struct err err = ERR_INIT;

	assert_int_equal(marks_decode(marks, sizeof(marks), &intake->ingest.marks, &err), 0);
}

static struct assembly assembly_of(struct assembly_layer *layers, size_t n)
{
	return (struct assembly){
		.name = "bird:latest",
		.source = "here",
		.config = CONFIG,
		.config_len = strlen(CONFIG),
		.layers = layers,
		.nlayers = n,
	};
}

static void assert_tmp_is_empty(const struct store *store)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(openat(store->tmp_fd, ".", O_RDONLY | O_CLOEXEC));

	for (const struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			fail_msg("tmp/%s is left", entry->d_name);
}

static char *read_blob(struct store *store, const char *digest)
{
	AUTO_CLOSE int fd = -1;
	struct err err = ERR_INIT;
	char *text = NULL;
	int64_t size;
	size_t len;

	assert_int_equal(blob_open(store, digest, &fd, &size, &err), 0);
	assert_int_equal(fd_read_open_file(fd, "blob", 1 << 20, &text, &len, &err), 0);
	assert_int_equal(len, size);
	return text;
}

static void test_image_with_a_manifest_made_here(void **state)
{
	struct store store = open_store(*state);
	struct intake intakes[2];
	struct assembly_layer layers[2];
	struct assembly assembly = assembly_of(layers, 2);
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	AUTO_FREE char *text = NULL;
	AUTO_BUF struct buf expected = BUF_INIT;
	struct err err = ERR_INIT;

	make_fresh(&store, "one", '1', 0755, &intakes[0]);
	make_fresh(&store, "\x1f\x8btwo", '2', 0755, &intakes[1]);
	assembly_layer_take(&layers[0], &intakes[0]);
	assembly_layer_take(&layers[1], &intakes[1]);
	if (assemble(&store, &assembly, &image, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(image.nlayers, 2);
	assert_string_equal(image.layers[0].tree, image.layers[0].diff_id);
	assert_true(layer_exists(&store, image.layers[1].tree));
	assert_int_equal(image.size, 2);
	assert_string_equal(image.names[0].name, "bird:latest");
	assert_null(image.names[0].digest);
	assert_int_equal(image_manifest_get(&store, "bird", &manifest, &err), 0);
	assert_int_equal(manifest.nblobs, 3);
	text = read_blob(&store, manifest.digest);
	buf_addf(
		&expected,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG
		"\",\"digest\":\"sha256:%s\",\"size\":14},\"layers\":[{\"mediaType\":\"" MEDIA_OCI_LAYER
		"\",\"digest\":\"sha256:%s\",\"size\":3},{\"mediaType\":\"" MEDIA_OCI_LAYER_GZIP
		"\",\"digest\":\"sha256:%s\",\"size\":5}]}",
		image.id, layers[0].digest, layers[1].digest);
	assert_string_equal(text, expected.data);
	assert_tmp_is_empty(&store);
	store_close(&store);
}

static mode_t mode_in_tree(const struct store *store, const char *tree)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/dir", tree);
	assert_int_equal(fstatat(store->layers_fd, path, &st, 0), 0);
	return st.st_mode & 07777;
}

static void test_directories_of_layers_below(void **state)
{
	struct store store = open_store(*state);
	struct intake intakes[3];
	struct assembly_layer layers[3];
	struct assembly assembly = assembly_of(layers, 2);
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_IMAGE_RECORD struct image_record other = IMAGE_RECORD_INIT;
	char id[DIGEST_HEX_LEN + 1];
	struct err err = ERR_INIT;

	make_fresh(&store, "one", '1', 0700, &intakes[0]);
	make_fresh(&store, "two", '2', 0755, &intakes[1]);
	make_implicit(&intakes[1]);
	assembly_layer_take(&layers[0], &intakes[0]);
	assembly_layer_take(&layers[1], &intakes[1]);
	if (assemble(&store, &assembly, &image, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(stack_id("", layers[0].diff_id, id, &err), 0);
	assert_int_equal(stack_id(id, layers[1].diff_id, id, &err), 0);
	assert_string_equal(image.layers[1].tree, id);
	assert_int_equal(mode_in_tree(&store, id), 0700);

	/* On another layer the same one is another tree. */
	make_fresh(&store, "three", '3', 0711, &intakes[0]);
	make_fresh(&store, "two", '2', 0755, &intakes[1]);
	make_implicit(&intakes[1]);
	assembly_layer_take(&layers[0], &intakes[0]);
	assembly_layer_take(&layers[1], &intakes[1]);
	assembly.config = "{\"os\" :\"linux\"}";
	assembly.config_len = strlen(assembly.config);
	if (assemble(&store, &assembly, &other, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(other.layers[1].diff_id, image.layers[1].diff_id);
	assert_string_not_equal(other.layers[1].tree, image.layers[1].tree);
	assert_int_equal(mode_in_tree(&store, other.layers[1].tree), 0711);
	assert_tmp_is_empty(&store);
	store_close(&store);
}

static void test_content_that_the_configuration_does_not_name(void **state)
{
	struct store store = open_store(*state);
	AUTO_INTAKE struct intake intake;
	struct assembly_layer layer;
	struct assembly assembly = assembly_of(&layer, 1);
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;

	make_fresh(&store, "one", '1', 0755, &intake);
	assembly_layer_take(&layer, &intake);
	fixture_digest('2', layer.diff_id);
	assert_int_equal(assemble(&store, &assembly, &image, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_non_null(strstr(err.text, " unpacks to sha256:111111111111, but the image's "
					 "configuration says sha256:222222222222"));
	assert_false(layer_exists(&store, layer.diff_id));
	assert_false(blob_exists(&store, layer.digest));
	assert_int_equal(image_find(&store, "bird", &image, &err), -ENOENT);
	intake_release(&intake);
	assert_tmp_is_empty(&store);
	store_close(&store);
}

/* Another process brings the lower one: what is right on it only waits for it. */
static void test_some_of_the_layers(void **state)
{
	struct store store = open_store(*state);
	struct intake intakes[3];
	struct assembly_layer layers[3] = { 0 };
	struct assembly assembly = assembly_of(layers, 3);
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;

	fixture_digest('1', layers[0].diff_id);
	layers[0].media_type = MEDIA_OCI_LAYER;
	make_fresh(&store, "two", '2', 0755, &intakes[1]);
	make_fresh(&store, "three", '3', 0755, &intakes[2]);
	make_implicit(&intakes[2]);
	assembly_layer_take(&layers[1], &intakes[1]);
	assembly_layer_take(&layers[2], &intakes[2]);
	if (assemble_layers(&store, layers, 3, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(layers[1].fresh);
	assert_true(layer_exists(&store, layers[1].diff_id));
	assert_true(blob_exists(&store, layers[1].digest));
	assert_non_null(layers[2].fresh);
	assert_true(blob_exists(&store, layers[2].digest));
	assert_int_equal(assemble(&store, &assembly, &image, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	/* Now it is there. */
	make_fresh(&store, "one", '1', 0700, &intakes[0]);
	assembly_layer_take(&layers[0], &intakes[0]);
	if (assemble(&store, &assembly, &image, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(mode_in_tree(&store, image.layers[2].tree), 0755); /* that of layers[1] */
	assert_int_equal(image.size, 3);
	assert_tmp_is_empty(&store);
	store_close(&store);
}

static void test_nul_in_the_configuration(void **state)
{
	struct store store = open_store(*state);
	struct assembly assembly = assembly_of(NULL, 0);
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;

	assembly.config_len++;
	assert_int_equal(assemble(&store, &assembly, &image, &err), -EINVAL);
	assert_string_equal(err.text, "the configuration holds a NUL byte");
	store_close(&store);
}

/* What a tree is kept under is never the diff ID of another. */
static void test_stack_ids(void **state)
{
	char one[DIGEST_HEX_LEN + 1], two[DIGEST_HEX_LEN + 1], id[DIGEST_HEX_LEN + 1];
	struct err err = ERR_INIT;

	(void)state;
	fixture_digest('a', one);
	assert_int_equal(stack_id("", one, id, &err), 0);
	/* printf ' sha256:aaa…' | sha256sum */
	assert_string_equal(id, "c877b8c6054e338dc801aa5341d1ee651d7480169148f323fb097de7250b78a6");
	assert_int_equal(stack_id(id, one, two, &err), 0);
	assert_string_not_equal(two, id);
	assert_int_equal(stack_id(id, one, id, &err), 0);
	assert_string_equal(two, id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_image_with_a_manifest_made_here),
		SCRATCH_TEST(test_directories_of_layers_below),
		SCRATCH_TEST(test_content_that_the_configuration_does_not_name),
		SCRATCH_TEST(test_some_of_the_layers),
		SCRATCH_TEST(test_nul_in_the_configuration),
		cmocka_unit_test(test_stack_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
