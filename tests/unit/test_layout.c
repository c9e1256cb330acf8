/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives of images, taken apart: image/layout.c, image/archive_docker.c, image/archive_files.c.
 * Documents go through a real parse stage: this program is it as well.
 */
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

#include "image/archive_docker.h"
#include "image/archive_files.h"
#include "image/layout.h"
#include "image/parse_stage.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"
#include "store/base/strv.h"
#include "tests/unit/scratch.h"

#define LAYER "1111111111111111111111111111111111111111111111111111111111111111"
#define DIFF "2222222222222222222222222222222222222222222222222222222222222222"

/* --- what they are made of --- */

static void put(const struct scratch *scratch, const char *path, const char *text)
{
	AUTO_CLOSE int fd =
		openat(scratch->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* As a blob; `digest` is what it is found by. */
static void put_blob(const struct scratch *scratch, const char *text,
		     char digest[SHA256_HEX_LEN + 1])
{
	char path[ARCHIVE_BLOB_PATH_MAX];

	assert_int_equal(sha256_hex(text, strlen(text), digest), 0);
	archive_blob_path(digest, path);
	put(scratch, path, text);
}

static void put_config(const struct scratch *scratch, const char *architecture,
		       char digest[SHA256_HEX_LEN + 1], size_t *size)
{
	char text[512];

	*size = (size_t)snprintf(text, sizeof(text),
				 "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"type\":"
				 "\"layers\",\"diff_ids\":[\"sha256:" DIFF "\"]}}",
				 architecture);
	put_blob(scratch, text, digest);
}

/* The descriptor of an image, of one layer, as an entry of an index; `more`: further members. */
static void make_entry(const struct scratch *scratch, const char *architecture, const char *more,
		       char out[1024])
{
	char config[SHA256_HEX_LEN + 1], digest[SHA256_HEX_LEN + 1], text[1024];
	size_t size;

	put_config(scratch, architecture, config, &size);
	snprintf(text, sizeof(text),
		 "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"config\":"
		 "{\"mediaType\":\"" MEDIA_OCI_CONFIG "\",\"digest\":\"sha256:%s\",\"size\":%zu},"
		 "\"layers\":[{\"mediaType\":\"" MEDIA_OCI_LAYER_ZSTD
		 "\",\"digest\":\"sha256:" LAYER "\",\"size\":77}]}",
		 config, size);
	put_blob(scratch, text, digest);
	snprintf(out, 1024,
		 "{\"mediaType\":\"" MEDIA_OCI_MANIFEST
		 "\",\"digest\":\"sha256:%s\",\"size\":%zu%s}",
		 digest, strlen(text), more);
}

static void make_layout(const struct scratch *scratch, const char *entries)
{
	char text[8192];

	snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"manifests\":[%s]}", entries);
	put(scratch, "index.json", text);
	put(scratch, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
}

static int setup(void **state)
{
	const struct scratch *scratch;

	if (scratch_setup(state) < 0)
		return -1;
	scratch = *state;
	return mkdirat(scratch->fd, "blobs", 0755) < 0 ||
			       mkdirat(scratch->fd, "blobs/sha256", 0755) < 0 ?
		       -1 :
		       0;
}

/* --- what comes of them --- */

/* "NAME[,NAME…] ARCHITECTURE\n" for each image. */
static int note(const struct load_image *image, void *data, struct err *err)
{
	struct buf *out = data;

	(void)err;
	for (size_t i = 0; i < strv_len(image->names); i++)
		buf_addf(out, "%s%s", i ? "," : "", image->names[i]);
	buf_addf(out, " %s\n", image->parsed.platform.architecture);
	return 0;
}

typedef int each(const struct load_source *source, load_visit *visit, void *data, struct err *err);

static int visit_all(const struct scratch *scratch, each *each_image, load_visit *visit, void *data,
		     struct err *err)
{
	static const struct image_limits limits = IMAGE_LIMITS_DEFAULT;
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
	struct platform want;
	const struct load_source source = {
		.dir = scratch->fd,
		.base = "debian",
		.session = &session,
		.want = &want,
		.limits = &limits,
	};

	assert_int_equal(platform_parse("linux/amd64", &want, err), 0);
	return each_image(&source, visit, data, err);
}

static void assert_images(const struct scratch *scratch, each *each_image, const char *expected)
{
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	buf_addstr(&out, "");
	assert_int_equal(visit_all(scratch, each_image, note, &out, &err), 0);
	assert_string_equal(out.data, expected);
}

static void assert_failure(const struct scratch *scratch, each *each_image, const char *expected)
{
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	assert_true(visit_all(scratch, each_image, note, &out, &err) < 0);
	assert_string_equal(err.text, expected);
}

#define REF_NAME(name) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"
#define FOR(architecture) ",\"platform\":{\"os\":\"linux\",\"architecture\":\"" architecture "\"}"

static int check_image(const struct load_image *image, void *data, struct err *err)
{
	(void)data;
	(void)err;
	assert_string_equal(image->layers[0].path, "blobs/sha256/" LAYER);
	assert_string_equal(image->layers[0].digest, LAYER);
	assert_int_equal(image->layers[0].size, 77);
	assert_string_equal(image->layers[0].media_type, MEDIA_OCI_LAYER_ZSTD);
	assert_string_equal(image->parsed.diff_ids[0], DIFF);
	assert_string_equal(image->manifest_type, MEDIA_OCI_MANIFEST);
	assert_string_equal(image->config_type, MEDIA_OCI_CONFIG);
	assert_int_equal(strncmp(image->published, "sha256:", 7), 0);
	return 7;
}

static void test_image_of_layout(void **state)
{
	struct err err = ERR_INIT;
	char entry[1024];

	make_entry(*state, "amd64", "", entry);
	make_layout(*state, entry);
	assert_int_equal(visit_all(*state, layout_each, check_image, NULL, &err), 7);
}

static void test_names(void **state)
{
	static const struct {
		const char *more, *expected;
	} cases[] = {
		{ "", " amd64\n" },
		{ REF_NAME("12"), "debian:12 amd64\n" },
		{ REF_NAME("example.com/a/b:1"), "example.com/a/b:1 amd64\n" },
		{ REF_NAME("a/b"), "a/b:latest amd64\n" },
		{ REF_NAME("Not/A/Name"), " amd64\n" },
		{ REF_NAME("no tag"), " amd64\n" },
		{ ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"1\","
		  "\"io.containerd.image.name\":\"docker.io/library/a:1\"}",
		  "docker.io/library/a:1 amd64\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char entry[1024];

		make_entry(*state, "amd64", cases[i].more, entry);
		make_layout(*state, entry);
		assert_images(*state, layout_each, cases[i].expected);
	}
}

/* Whoever pins a digest gets what has it, whatever an archive calls its images. */
static void test_names_with_digests(void **state)
{
	char digest[SHA256_HEX_LEN + 1], entry[1024], more[256], named[1024], expected[256];

	make_entry(*state, "amd64", REF_NAME("example.com/a@sha256:" LAYER), entry);
	make_layout(*state, entry);
	assert_images(*state, layout_each, " amd64\n");
	make_entry(*state, "amd64",
		   ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"1\","
		   "\"io.containerd.image.name\":\"example.com/a:1@sha256:" LAYER "\"}",
		   entry);
	make_layout(*state, entry);
	assert_images(*state, layout_each, "debian:1 amd64\n");

	assert_int_equal(sscanf(strstr(entry, "sha256:"), "sha256:%64[0-9a-f]", digest), 1);
	snprintf(more, sizeof(more), REF_NAME("example.com/a@sha256:%s"), digest);
	make_entry(*state, "amd64", more, named);
	make_layout(*state, named);
	snprintf(expected, sizeof(expected), "example.com/a@sha256:%s amd64\n", digest);
	assert_images(*state, layout_each, expected);
}

static void test_platforms(void **state)
{
	char first[1024], second[1024], both[4096];

	/* Without names it is one image for several platforms. */
	make_entry(*state, "arm64", FOR("arm64"), first);
	make_entry(*state, "amd64", FOR("amd64"), second);
	snprintf(both, sizeof(both), "%s,%s", first, second);
	make_layout(*state, both);
	assert_images(*state, layout_each, " amd64\n");
	/* One for another machine is told, so that it can be refused by name. */
	make_layout(*state, first);
	assert_images(*state, layout_each, " arm64\n");
	/* With names they are several images, unless the names are the same. */
	make_entry(*state, "arm64", REF_NAME("arm"), first);
	make_entry(*state, "amd64", REF_NAME("amd"), second);
	snprintf(both, sizeof(both), "%s,%s", first, second);
	make_layout(*state, both);
	assert_images(*state, layout_each, "debian:arm arm64\ndebian:amd amd64\n");
	make_entry(*state, "arm64", FOR("arm64") REF_NAME("1"), first);
	make_entry(*state, "amd64", FOR("amd64") REF_NAME("1"), second);
	snprintf(both, sizeof(both), "%s,%s", first, second);
	make_layout(*state, both);
	assert_images(*state, layout_each, "debian:1 amd64\n");
	make_entry(*state, "s390x", FOR("s390x") REF_NAME("1"), second);
	snprintf(both, sizeof(both), "%s,%s", first, second);
	make_layout(*state, both);
	assert_failure(*state, layout_each, "there is no image in it for linux/amd64");
}

/* What has no name beside one that has is what is left of an earlier one. */
static void test_nameless_beside_named(void **state)
{
	char first[1024], second[1024], both[4096];

	make_entry(*state, "amd64", "", first);
	make_entry(*state, "amd64", REF_NAME("1"), second);
	snprintf(both, sizeof(both), "%s,%s", first, second);
	make_layout(*state, both);
	assert_images(*state, layout_each, "debian:1 amd64\n");
}

static void test_nested_index(void **state)
{
	char digest[SHA256_HEX_LEN + 1], entry[1024], text[4096], top[1024];

	make_entry(*state, "amd64", FOR("amd64"), entry);
	for (int depth = 1; depth <= 5; depth++) {
		snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"manifests\":[%s]}", entry);
		put_blob(*state, text, digest);
		snprintf(entry, sizeof(entry),
			 "{\"mediaType\":\"" MEDIA_OCI_INDEX
			 "\",\"digest\":\"sha256:%s\",\"size\":%zu" FOR("amd64") "}",
			 digest, strlen(text));
		snprintf(top, sizeof(top), "%s", entry);
		make_layout(*state, top);
		if (depth <= PARSE_MAX_NESTING) {
			assert_images(*state, layout_each, " amd64\n");
			continue;
		}
		snprintf(text, sizeof(text),
			 "manifest sha256:%.12s: its indexes are nested too deeply", digest);
		assert_failure(*state, layout_each, text);
	}
}

static void test_files_that_are_not_there(void **state)
{
	const struct scratch *scratch = *state;
	char entry[1024], expected[256];

	assert_failure(scratch, layout_each, "oci-layout: is not in it");
	assert_failure(scratch, archive_docker_each, "manifest.json: is not in it");
	make_entry(scratch, "amd64", "", entry);
	make_layout(scratch, entry);
	assert_int_equal(unlinkat(scratch->fd, "index.json", 0), 0);
	assert_int_equal(mkdirat(scratch->fd, "index.json", 0755), 0);
	assert_failure(scratch, layout_each, "index.json: is not a regular file");
	assert_int_equal(unlinkat(scratch->fd, "index.json", AT_REMOVEDIR), 0);
	make_layout(scratch, "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"sha256:" LAYER
			     "\",\"size\":3}");
	snprintf(expected, sizeof(expected),
		 "manifest sha256:%.12s: blobs/sha256/" LAYER ": is not in it", LAYER);
	assert_failure(scratch, layout_each, expected);
	put(scratch, "blobs/sha256/" LAYER, "ab");
	snprintf(expected, sizeof(expected),
		 "manifest sha256:%.12s: blobs/sha256/" LAYER
		 ": has 2 bytes, and not the 3 that it should have",
		 LAYER);
	assert_failure(scratch, layout_each, expected);
}

static void test_docker_names(void **state)
{
	const struct scratch *scratch = *state;
	char digest[SHA256_HEX_LEN + 1], text[2048];
	size_t size;

	put_config(scratch, "amd64", digest, &size);
	snprintf(text, sizeof(text),
		 "[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[\"a\",\"team/b:2\","
		 "\"example.com/c:3\"],\"Layers\":[\"x/layer.tar\"]},"
		 "{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":null,\"Layers\":[\"y.tar\"]}]",
		 digest, digest);
	put(scratch, "manifest.json", text);
	assert_images(scratch, archive_docker_each,
		      "docker.io/library/a:latest,docker.io/team/b:2,example.com/c:3 amd64\n"
		      " amd64\n");
}

static void test_docker_refused(void **state)
{
	const struct scratch *scratch = *state;
	char digest[SHA256_HEX_LEN + 1], text[2048];
	size_t size;

	put_config(scratch, "amd64", digest, &size);
	snprintf(text, sizeof(text),
		 "[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[\"a:1\"],\"Layers\":[]}]", digest);
	put(scratch, "manifest.json", text);
	assert_failure(scratch, archive_docker_each,
		       "docker.io/library/a:1: it has 0 layers, and by its configuration 1");
	snprintf(text, sizeof(text),
		 "[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[\"A:1\"],\"Layers\":[\"x\"]}]",
		 digest);
	put(scratch, "manifest.json", text);
	assert_failure(scratch, archive_docker_each,
		       "image 1: manifest.json: invalid image name 'A:1': it has characters or "
		       "separators that a name cannot have");
	/* Nothing in it has that digest. */
	snprintf(text, sizeof(text),
		 "[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[\"a@sha256:" LAYER
		 "\"],\"Layers\":[\"x\"]}]",
		 digest);
	put(scratch, "manifest.json", text);
	assert_failure(scratch, archive_docker_each,
		       "image 1: manifest.json: a@sha256:" LAYER
		       ": a name in an archive has no digest");
	/* Its path says what it has to be. */
	put(scratch, LAYER ".json", "{}");
	put(scratch, "manifest.json",
	    "[{\"Config\":\"" LAYER ".json\",\"RepoTags\":[],\"Layers\":[]}]");
	assert_failure(scratch, archive_docker_each,
		       "image 1: " LAYER ".json: checksum mismatch: expected sha256:" LAYER
		       ", got sha256:"
		       "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}

/* What a path in an archive must never reach. */
static void test_paths(void **state)
{
	static const struct {
		const char *path;
		int code;
		const char *why;
	} cases[] = {
		{ "/etc/hostname", -EXDEV, "/etc/hostname: leads out of it" },
		{ "../outside", -EXDEV, "../outside: leads out of it" },
		{ "out", -EXDEV, "out: leads out of it" },
		{ "blobs/../../outside", -EXDEV, "blobs/../../outside: leads out of it" },
		{ "loop", -ENOENT, "loop: is not in it" },
		{ "fifo", -EINVAL, "fifo: is not a regular file" },
		{ "blobs", -EINVAL, "blobs: is not a regular file" },
		{ "file/x", -ENOENT, "file/x: is not in it" },
	};
	const struct scratch *scratch = *state;
	AUTO_CLOSE int fd = -1;
	struct err err = ERR_INIT;
	int64_t size = 0;

	put(scratch, "file", "abc");
	assert_int_equal(symlinkat("/etc/hostname", scratch->fd, "out"), 0);
	assert_int_equal(symlinkat("loop", scratch->fd, "loop"), 0);
	assert_int_equal(symlinkat("../file", scratch->fd, "blobs/within"), 0);
	assert_int_equal(mkfifoat(scratch->fd, "fifo", 0644), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int none = -1;

		assert_int_equal(archive_file_open(scratch->fd, cases[i].path, &none, &size, &err),
				 cases[i].code);
		assert_string_equal(err.text, cases[i].why);
		assert_int_equal(none, -1);
	}
	assert_int_equal(archive_file_open(scratch->fd, "blobs/within", &fd, &size, &err), 0);
	assert_int_equal(size, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_image_of_layout),	     TEST(test_names),
		TEST(test_names_with_digests),	     TEST(test_platforms),
		TEST(test_nameless_beside_named),    TEST(test_nested_index),
		TEST(test_files_that_are_not_there), TEST(test_docker_names),
		TEST(test_docker_refused),	     TEST(test_paths),
	};

	if (argc == 1 && strcmp(argv[0], "cman-parse") == 0)
		return parse_stage_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
