/* SPDX-License-Identifier: Apache-2.0 */
/* What a word means among the images of a store: image/names.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/names.h"
#include "store/base/cleanup.h"
#include "tests/unit/image_fixture.h"
#include "tests/unit/scratch.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static char settings[] = "/tmp/cman-test-names.XXXXXX";

static int write_settings(void **state)
{
	static const char text[] = "{\"short-names\": {\"fed\": \"registry.x/fedora\"}}";
	int fd = mkstemp(settings);

	(void)state;
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	close(fd);
	return setenv("CMAN_REGISTRIES", settings, 1);
}

static int remove_settings(void **state)
{
	(void)state;
	return unlink(settings);
}

/* One more name for image `id`, with what the registry calls it. */
static void name_it(struct store *store, char id, const char *name, const char *digest)
{
	char text[DIGEST_HEX_LEN + 1];
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(image_find(store, fixture_digest(id, text), &image, &err), 0);
	image.config = FIXTURE_CONFIG; /* which is not read with the rest */
	assert_int_equal(image_put(store, &image, NULL, name, digest, &err), 0);
}

static void open_store(const struct scratch *scratch, struct store *store)
{
	struct err err = ERR_INIT;

	assert_int_equal(store_open(scratch->path, store, &err), 0);
	fixture_layer(store, '1');
	assert_int_equal(fixture_image(store, 'a', "1", "own:latest", &err), 0);
	assert_int_equal(fixture_image(store, 'b', "1", "docker.io/library/nginx:latest", &err), 0);
	name_it(store, 'b', "docker.io/library/nginx:1.27", D1);
	name_it(store, 'b', "registry.x/fedora:41", D2);
	name_it(store, 'b', "docker.io/library/kept@" D2, D2);
}

static void means(struct store *store, const char *word, const char *name, char id)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_FREE char *found = NULL;
	struct err err = ERR_INIT;

	if (image_lookup(store, word, &image, &err) < 0)
		fail_msg("%s: %s", word, err.text);
	assert_int_equal(image.id[0], id);
	assert_int_equal(image_lookup_name(store, word, &found, &err), 0);
	assert_string_equal(found, name);
}

static void is_missing(struct store *store, const char *word)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err err = ERR_INIT;
	char text[256];

	assert_int_equal(image_lookup(store, word, &image, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	snprintf(text, sizeof(text), "no such image: %s", word);
	assert_string_equal(err.text, text);
}

static void test_lookup(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;

	open_store(*state, &store);
	means(&store, "own", "own:latest", 'a');
	means(&store, "own:latest", "own:latest", 'a');
	means(&store, "nginx", "docker.io/library/nginx:latest", 'b');
	means(&store, "nginx:1.27", "docker.io/library/nginx:1.27", 'b');
	means(&store, "library/nginx:1.27", "docker.io/library/nginx:1.27", 'b');
	means(&store, "docker.io/nginx", "docker.io/library/nginx:latest", 'b');
	means(&store, "docker.io/library/nginx", "docker.io/library/nginx:latest", 'b');
	means(&store, "fed:41", "registry.x/fedora:41", 'b');
	is_missing(&store, "fed");
	is_missing(&store, "nginx:1");
	is_missing(&store, "other/nginx");
	is_missing(&store, "docker.io/own");
	is_missing(&store, "Not A Name");
}

static void test_digest(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;

	open_store(*state, &store);
	means(&store, "nginx@" D1, "docker.io/library/nginx:1.27", 'b');
	means(&store, "nginx:any@" D1, "docker.io/library/nginx:1.27", 'b');
	means(&store, "docker.io/library/nginx@" D1, "docker.io/library/nginx:1.27", 'b');
	means(&store, "fed@" D2, "registry.x/fedora:41", 'b');
	means(&store, "kept@" D2, "docker.io/library/kept@" D2, 'b');
	/* another digest of that name, that digest of another name */
	is_missing(&store, "nginx@" D2);
	is_missing(&store, "own@" D1);
}

static void test_id(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err err = ERR_INIT;

	open_store(*state, &store);
	means(&store, A64, A64, 'a');
	means(&store, "sha256:" B64, B64, 'b');
	means(&store, "aaaa", A64, 'a');
	is_missing(&store, "aaa");
	/* a name comes before the beginning of an ID, also one that was not written in full */
	assert_int_equal(fixture_image(&store, 'c', "1", "docker.io/library/aaaa:latest", &err), 0);
	means(&store, "aaaa", "docker.io/library/aaaa:latest", 'c');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lookup, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_digest, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_id, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, write_settings, remove_settings);
}
