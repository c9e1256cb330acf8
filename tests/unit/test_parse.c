/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of images, through a real stage: this program is it as well, when its name is
 * cman-parse. image/parse.c, image/parse_stage.c, image/parse_documents.c, image/parse_manifest.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/parse.h"
#include "image/parse_stage.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/flat_json.h"
#include "store/json.h"
#include "tests/unit/document_fixture.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

/* Documents are written with ' for ". */
static char *quoted(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

#define DESCRIPTOR(type, digest, size) \
	"{'mediaType':'" type "','digest':'sha256:" digest "','size':" size "}"
#define CONFIG "'config':" DESCRIPTOR(MEDIA_OCI_CONFIG, A, "300")
#define FOR(digest, os, architecture, more)                                              \
	"{'mediaType':'" MEDIA_OCI_MANIFEST "','digest':'sha256:" digest "','size':500," \
	"'platform':{'os':'" os "','architecture':'" architecture "'" more "}}"

static int parse(const char *text, const char *type, const char *platform_text,
		 struct parsed_manifest *out, struct err *err)
{
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
	AUTO_FREE char *json = quoted(text);
	struct platform platform;

	if (platform_text)
		assert_int_equal(platform_parse(platform_text, &platform, err), 0);
	return parse_manifest(&session, json, strlen(json), type, platform_text ? &platform : NULL,
			      out, err);
}

static void test_manifest(void **state)
{
	AUTO_PARSED_MANIFEST struct parsed_manifest manifest = PARSED_MANIFEST_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		parse("{'schemaVersion':2,'mediaType':'" MEDIA_DOCKER_MANIFEST "'," CONFIG
		      ",'layers':[" DESCRIPTOR(MEDIA_DOCKER_LAYER_GZIP, B, "10") "," DESCRIPTOR(
			      MEDIA_OCI_LAYER_ZSTD, C, "9999999999") "," DESCRIPTOR(MEDIA_OCI_LAYER,
										    B, "0") "]}",
		      MEDIA_DOCKER_MANIFEST "; charset=utf-8", NULL, &manifest, &err),
		0);
	assert_int_equal(manifest.kind, MEDIA_MANIFEST);
	assert_string_equal(manifest.media_type, MEDIA_DOCKER_MANIFEST);
	assert_string_equal(manifest.config.digest, A);
	assert_int_equal(manifest.config.size, 300);
	assert_int_equal(manifest.nlayers, 3);
	assert_string_equal(manifest.layers[0].digest, B);
	assert_int_equal(media_compression(manifest.layers[0].media_type), COMPRESSION_GZIP);
	assert_int_equal(media_compression(manifest.layers[1].media_type), COMPRESSION_ZSTD);
	assert_int_equal(manifest.layers[1].size, 9999999999);
	assert_int_equal(media_compression(manifest.layers[2].media_type), COMPRESSION_NONE);
}

static const char index_text[] =
	"{'schemaVersion':2,'manifests':["
	"{'mediaType':'" MEDIA_OCI_MANIFEST "','digest':'sha256:" D "','size':1,"
	"'platform':{'os':'unknown','architecture':'unknown'},"
	"'annotations':{'vnd.docker.reference.type':'attestation-manifest'}}," FOR(
		A, "linux", "arm",
		",'variant':'v6'") "," FOR(B, "linux", "amd64",
					   "") "," FOR(C, "linux", "arm64",
						       ",'variant':'v8'") "," FOR(D, "windows",
										  "amd64", "") "]}";

static void test_choice(void **state)
{
	static const char *const cases[][2] = {
		{ "linux/arm/v7", A },
		{ "linux/amd64", B },
		{ "linux/amd64/v3", B },
		{ "linux/arm64", C },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_PARSED_MANIFEST struct parsed_manifest manifest = PARSED_MANIFEST_INIT;
		struct err err = ERR_INIT;

		/* What is told is of no use, as from a plain file server. */
		assert_int_equal(
			parse(index_text, "application/json", cases[i][0], &manifest, &err), 0);
		assert_int_equal(manifest.kind, MEDIA_INDEX);
		assert_string_equal(manifest.media_type, MEDIA_OCI_INDEX);
		assert_int_equal(manifest.nentries, 5);
		assert_string_equal(manifest.entries[manifest.chosen].descriptor.digest,
				    cases[i][1]);
	}
}

static void test_nothing_to_choose(void **state)
{
	struct parsed_manifest manifest = PARSED_MANIFEST_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(index_text, NULL, "linux/s390x", &manifest, &err), -ENOTSUP);
	assert_string_equal(err.text, "there is no image for linux/s390x, but for linux/arm/v6, "
				      "linux/amd64, linux/arm64, windows/amd64");
	assert_string_equal(err.hint, "choose one of them with --platform");
	/* An attestation alone is no image, whatever its platform is said to be. */
	assert_int_equal(parse("{'schemaVersion':2,'manifests':[{'mediaType':'" MEDIA_OCI_MANIFEST
			       "','digest':'sha256:" A "','size':1,"
			       "'platform':{'os':'linux','architecture':'amd64'},"
			       "'artifactType':'application/x'}]}",
			       NULL, "linux/amd64", &manifest, &err),
			 -ENOTSUP);
	assert_string_equal(err.text, "there is no image in it for linux/amd64");
	assert_null(manifest.entries);
}

static void test_untold_platform_is_last(void **state)
{
	AUTO_PARSED_MANIFEST struct parsed_manifest first = PARSED_MANIFEST_INIT;
	AUTO_PARSED_MANIFEST struct parsed_manifest second = PARSED_MANIFEST_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		parse("{'schemaVersion':2,'manifests':[" DESCRIPTOR(
			      MEDIA_OCI_MANIFEST, A, "1") "," FOR(B, "linux", "386", "") "]}",
		      NULL, "linux/amd64", &first, &err),
		0);
	assert_int_equal(first.chosen, 1);
	assert_int_equal(parse("{'schemaVersion':2,'manifests':[" FOR(
				       B, "linux", "s390x", "") "," DESCRIPTOR(MEDIA_OCI_MANIFEST,
									       A, "1") "]}",
			       NULL, "linux/amd64", &second, &err),
			 0);
	assert_int_equal(second.chosen, 1);
}

static void test_names_in_index(void **state)
{
	AUTO_PARSED_MANIFEST struct parsed_manifest index = PARSED_MANIFEST_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse("{'schemaVersion':2,'manifests':[{'mediaType':'" MEDIA_OCI_MANIFEST
			       "','digest':'sha256:" A "','size':1,'annotations':{"
			       "'io.containerd.image.name':'docker.io/library/a:1',"
			       "'org.opencontainers.image.ref.name':'1'}}]}",
			       NULL, NULL, &index, &err),
			 0);
	assert_string_equal(index.entries[0].image_name, "docker.io/library/a:1");
	assert_string_equal(index.entries[0].ref_name, "1");
}

static void test_refused_manifests(void **state)
{
	static const struct {
		const char *text, *type, *why;
	} cases[] = {
		{ "[]", NULL, "manifest: it is not a JSON object" },
		{ "{'schemaVersion':1,'fsLayers':[]}", NULL,
		  "manifest: it is of schema 1, which is not supported" },
		{ "{}", "application/vnd.docker.distribution.manifest.v1+prettyjws",
		  "manifest: it is of schema 1, which is not supported" },
		{ "{'schemaVersion':3}", NULL, "manifest: its schemaVersion is not 2" },
		{ "{'schemaVersion':2,'mediaType':'text/x'}", NULL,
		  "manifest: it is no image, but of the type: text/x" },
		{ "{'schemaVersion':2,'mediaType':'" MEDIA_OCI_INDEX "'}", MEDIA_OCI_MANIFEST,
		  "manifest: it is announced as " MEDIA_OCI_MANIFEST
		  ", and calls itself " MEDIA_OCI_INDEX },
		{ "{'schemaVersion':2,'manifests':[],'layers':[]}", NULL,
		  "manifest: it is a manifest and an index at once" },
		{ "{'schemaVersion':2,'manifests':[]," CONFIG "}", MEDIA_OCI_MANIFEST,
		  "manifest: it is a manifest and an index at once" },
		{ "{'schemaVersion':2}", NULL, "manifest: \"config\" is missing" },
		{ "{'schemaVersion':2," CONFIG "}", NULL, "manifest: \"layers\" is missing" },
		{ "{'schemaVersion':2," CONFIG ",'layers':{}}", NULL,
		  "manifest: \"layers\" is not an array" },
		{ "{'schemaVersion':2,'layers':[],'config':" DESCRIPTOR("a/helm", A, "1") "}", NULL,
		  "manifest: it is no image, but an artifact of the type: a/helm" },
		{ "{'schemaVersion':2,'layers':[],'config':" DESCRIPTOR(MEDIA_OCI_CONFIG, A,
									"4194305") "}",
		  NULL, "manifest: its configuration is larger than 4194304 bytes" },
		{ "{'schemaVersion':2," CONFIG ",'layers':[{}]}", NULL,
		  "manifest: layer 1: \"mediaType\" is missing" },
		{ "{'schemaVersion':2," CONFIG
		  ",'layers':[" DESCRIPTOR(MEDIA_OCI_LAYER, A, "-1") "]}",
		  NULL, "manifest: layer 1: \"size\" is missing or negative" },
		{ "{'schemaVersion':2," CONFIG
		  ",'layers':[" DESCRIPTOR(MEDIA_OCI_LAYER, "ab", "1") "]}",
		  NULL, "manifest: layer 1: not a digest: sha256:ab" },
		{ "{'schemaVersion':2," CONFIG ",'layers':[" DESCRIPTOR("a/b", A, "1") "]}", NULL,
		  "manifest: layer 1: its type is not known: a/b" },
		{ "{'schemaVersion':2," CONFIG
		  ",'layers':[" DESCRIPTOR(MEDIA_OCI_LAYER "+encrypted", A, "1") "]}",
		  NULL, "manifest: layer 1: it is encrypted: " MEDIA_OCI_LAYER "+encrypted" },
		{ "{'schemaVersion':2," CONFIG ",'layers':[" DESCRIPTOR(
			  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", A, "1") "]}",
		  NULL,
		  "manifest: layer 1: only its maker hands it out: "
		  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" },
		{ "{'schemaVersion':2,'manifests':[{'mediaType':'a/b','digest':'sha512:" A A
		  "','size':1}]}",
		  NULL, "manifest: entry 0: digests by sha512 are not supported: sha512:" A A },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parsed_manifest manifest = { .nlayers = 77 };
		struct err err = ERR_INIT;

		assert_true(parse(cases[i].text, cases[i].type, NULL, &manifest, &err) < 0);
		assert_string_equal(err.text, cases[i].why);
		assert_int_equal(manifest.nlayers, 77);
	}
}

static void test_too_many_layers(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT;
	struct parsed_manifest manifest = PARSED_MANIFEST_INIT;
	struct err err = ERR_INIT;

	(void)state;
	buf_addstr(&text, "{'schemaVersion':2," CONFIG ",'layers':[");
	for (int i = 0; i < PARSE_MAX_LAYERS; i++)
		buf_addstr(&text, DESCRIPTOR(MEDIA_OCI_LAYER, A, "1") ",");
	buf_addstr(&text, DESCRIPTOR(MEDIA_OCI_LAYER, A, "1") "]}");
	assert_int_equal(parse(text.data, NULL, NULL, &manifest, &err), -E2BIG);
	assert_string_equal(err.text, "manifest: it has more than 127 layers");
}

/* --- the other documents, all by one stage --- */

static void test_other_documents(void **state)
{
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
	AUTO_PARSED_CONFIG struct parsed_config config = PARSED_CONFIG_INIT;
	AUTO_PARSED_ARCHIVE struct parsed_archive archive = PARSED_ARCHIVE_INIT;
	AUTO_STRV char **tags = NULL;
	AUTO_JSON json_t *flat = NULL;
	AUTO_JSON json_t *expected = NULL;
	AUTO_FREE char *config_text = quoted("{'os':'linux','architecture':'arm64','variant':'v8',"
					     "'config':{'Env':['A=1']},'rootfs':{'type':'layers',"
					     "'diff_ids':['sha256:" A "','sha256:" B "']}}");
	AUTO_FREE char *tags_text = quoted("{'name':'a/b','tags':['latest','1.2-x']}");
	AUTO_FREE char *archive_text =
		quoted("[{'Config':'c.json','RepoTags':['a:1','b:2'],'Layers':['../x']},"
		       "{'Config':'d.json','RepoTags':null,'Layers':[]}]");
	struct err err = ERR_INIT;
	pid_t pid;

	(void)state;
	assert_int_equal(
		parse_image_config(&session, config_text, strlen(config_text), &config, &err), 0);
	pid = session.stage.pid;
	assert_string_equal(config.platform.architecture, "arm64");
	assert_string_equal(config.platform.variant, "");
	assert_int_equal(config.ndiff_ids, 2);
	assert_string_equal(config.diff_ids[1], B);
	/* The same as a parser here would make of it. */
	assert_int_equal(flat_to_json(config.flat, config.flat_len, &flat, &err), 0);
	assert_int_equal(json_parse("", config_text, strlen(config_text), &expected, &err), 0);
	assert_true(json_equal(flat, expected));
	assert_int_equal(parse_tags(&session, tags_text, strlen(tags_text), &tags, &err), 0);
	assert_string_equal(tags[1], "1.2-x");
	assert_null(tags[2]);
	assert_int_equal(parse_oci_layout(&session, "{\"imageLayoutVersion\":\"1.0.0\"}", 30, &err),
			 0);
	assert_int_equal(
		parse_archive(&session, archive_text, strlen(archive_text), &archive, &err), 0);
	assert_int_equal(archive.nlines, 5);
	assert_int_equal(archive.lines[3].kind, ARCHIVE_LAYER);
	assert_string_equal(archive.lines[3].text, "../x");
	assert_int_equal(archive.lines[4].kind, ARCHIVE_CONFIG);
	assert_int_equal(session.stage.pid, pid);
}

static int try(struct parse_session *session, enum parse_document document, const char *text,
	       struct err *err)
{
	struct parsed_config config;
	struct parsed_archive archive;
	char **tags;

	switch (document) {
	case PARSE_CONFIG:
		return parse_image_config(session, text, strlen(text), &config, err);
	case PARSE_TAGS:
		return parse_tags(session, text, strlen(text), &tags, err);
	case PARSE_LAYOUT:
		return parse_oci_layout(session, text, strlen(text), err);
	default:
		return parse_archive(session, text, strlen(text), &archive, err);
	}
}

static void test_refused_documents(void **state)
{
	static const struct {
		enum parse_document document;
		const char *text, *why;
	} cases[] = {
		{ PARSE_CONFIG, "{",
		  "image configuration: line 1 column 1: string or '}' expected "
		  "near end of file" },
		{ PARSE_CONFIG, "{}", "image configuration: \"rootfs\" is missing" },
		{ PARSE_CONFIG, "{'config':{'Env':['x']},'rootfs':{}}",
		  "image configuration: config.Env: 'x' is not written KEY=VALUE" },
		{ PARSE_CONFIG, "{'architecture':'a b','rootfs':{}}",
		  "image configuration: its platform is malformed" },
		{ PARSE_CONFIG, "{'rootfs':{'type':'layers','diff_ids':[]}}",
		  "image configuration: \"rootfs\": there is no layer in it" },
		{ PARSE_CONFIG, "{'rootfs':{'type':'x'}}",
		  "image configuration: \"rootfs\": its type is not known: x" },
		{ PARSE_CONFIG, "{'rootfs':{'diff_ids':['sha256:AB']}}",
		  "image configuration: \"rootfs\": \"diff_ids\": not a digest: sha256:AB" },
		{ PARSE_TAGS, "[]", "list of tags: it is not a JSON object" },
		{ PARSE_TAGS, "{'tags':['../x']}", "list of tags: element 0 is not a tag" },
		{ PARSE_LAYOUT, "{}", "oci-layout: \"imageLayoutVersion\" is missing" },
		{ PARSE_LAYOUT, "{'imageLayoutVersion':'2.0.0'}",
		  "oci-layout: its version 2.0.0 is not supported" },
		{ PARSE_ARCHIVE, "[]", "manifest.json: it is not an array of images" },
		{ PARSE_ARCHIVE, "[{}]",
		  "manifest.json: image 1: \"Config\": it is empty, too long or not a string" },
		{ PARSE_ARCHIVE, "[{'Config':'c','Layers':[1]}]",
		  "manifest.json: image 1: \"Layers\": it is empty, too long or not a string" },
	};
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *text = quoted(cases[i].text);
		struct err err = ERR_INIT;

		assert_true(try(&session, cases[i].document, text, &err) < 0);
		assert_string_equal(err.text, cases[i].why);
	}
}

static void test_no_tags(void **state)
{
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
	AUTO_STRV char **tags = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse_tags(&session, "{\"tags\":null}", 13, &tags, &err), 0);
	assert_non_null(tags);
	assert_null(tags[0]);
}

static void test_too_large(void **state)
{
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
	AUTO_FREE char *text = malloc(JSON_MAX_BYTES + 1);
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', JSON_MAX_BYTES + 1);
	assert_int_equal(parse_oci_layout(&session, text, JSON_MAX_BYTES + 1, &err), -EFBIG);
	/* As large as can be, which both ends have to take in pieces. */
	assert_int_equal(parse_oci_layout(&session, text, JSON_MAX_BYTES, &err), -EINVAL);
	assert_int_equal(strncmp(err.text, "oci-layout: line 1 column ", 26), 0);
}

static void test_dead_stage(void **state)
{
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
	static const char text[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse_oci_layout(&session, text, strlen(text), &err), 0);
	assert_int_equal(kill(session.stage.pid, SIGKILL), 0);
	assert_int_equal(parse_oci_layout(&session, text, strlen(text), &err), -EIO);
	assert_string_equal(err.text, "the parse stage gave no answer");
	/* Another takes its place. */
	assert_int_equal(parse_oci_layout(&session, text, strlen(text), &err), 0);
}

/* --- what a stage says is not believed --- */

static struct parse_answer good_answer(void)
{
	struct parse_answer answer;

	memset(&answer, 0, sizeof(answer));
	answer.kind = MEDIA_MANIFEST;
	strcpy(answer.media_type, MEDIA_OCI_MANIFEST);
	strcpy(answer.config.digest, A);
	strcpy(answer.config.media_type, MEDIA_OCI_CONFIG);
	return answer;
}

static int check(struct parse_answer answer)
{
	struct err err = ERR_INIT;

	return parse_answer_check(PARSE_MANIFEST, &answer, &err);
}

static void test_answers(void **state)
{
	struct parse_answer answer = good_answer();

	(void)state;
	assert_int_equal(check(answer), 0);
	answer.kind = MEDIA_INDEX;
	assert_int_equal(check(answer), -EPROTO);
	answer = good_answer();
	memset(answer.media_type, 'x', sizeof(answer.media_type));
	assert_int_equal(check(answer), -EPROTO);
	answer = good_answer();
	answer.config.digest[3] = '/';
	assert_int_equal(check(answer), -EPROTO);
	answer = good_answer();
	answer.config.size = -1;
	assert_int_equal(check(answer), -EPROTO);
	answer = good_answer();
	answer.count = PARSE_MAX_LAYERS + 1;
	assert_int_equal(check(answer), -EPROTO);
	answer.count = -1;
	assert_int_equal(check(answer), -EPROTO);
	answer = good_answer();
	answer.failed = 1;
	assert_int_equal(check(answer), -EPROTO);
	answer.err.kind = ERR_INVALID;
	answer.err.num = -1;
	assert_int_equal(check(answer), -EPROTO);
	answer.err.num = 1;
	assert_int_equal(check(answer), 0);
}

/* A form is taken whole, and has to hold what the stage has to look for. */
static void check_form(void)
{
	static const struct {
		const char *json;
		int code;
	} cases[] = {
		{ "{'rootfs':{'diff_ids':['sha256:" A "']}}", 0 },
		{ "{'rootfs':{'diff_ids':[]}}", -EPROTO },
		{ "{'config':{'Env':[1]},'rootfs':{'diff_ids':['sha256:" A "']}}", -EPROTO },
		{ "{'os':'/','rootfs':{'diff_ids':['sha256:" A "']}}", -EPROTO },
		{ "[]", -EPROTO },
	};
	struct parse_answer answer = { 0 };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *text = quoted(cases[i].json);
		AUTO_IMAGE_DOCUMENT struct image_document document = fixture_document(text);

		answer.count = (int64_t)document.len;
		assert_int_equal(parse_elements_check(PARSE_CONFIG, &answer, document.form, &err),
				 cases[i].code);
		answer.count--;
		assert_int_equal(parse_elements_check(PARSE_CONFIG, &answer, document.form, &err),
				 -EPROTO);
	}
	answer.count = 0;
	assert_int_equal(parse_answer_check(PARSE_CONFIG, &answer, &err), -EPROTO);
	answer.count = FLAT_MAX_BYTES + 1;
	assert_int_equal(parse_answer_check(PARSE_CONFIG, &answer, &err), -EPROTO);
}

static void test_elements(void **state)
{
	struct parse_answer answer = good_answer();
	struct descriptor layer = answer.config;
	struct archive_line line = { ARCHIVE_TAG, "a:1" };
	struct err err = ERR_INIT;
	char tag[PARSE_TAG_MAX] = "latest";

	(void)state;
	answer.count = 1;
	strcpy(layer.media_type, MEDIA_OCI_LAYER);
	assert_int_equal(parse_elements_check(PARSE_MANIFEST, &answer, &layer, &err), 0);
	strcpy(layer.media_type, MEDIA_OCI_CONFIG);
	assert_int_equal(parse_elements_check(PARSE_MANIFEST, &answer, &layer, &err), -EPROTO);
	assert_int_equal(parse_elements_check(PARSE_TAGS, &answer, tag, &err), 0);
	tag[0] = '/';
	assert_int_equal(parse_elements_check(PARSE_TAGS, &answer, tag, &err), -EPROTO);
	memset(tag, 'a', sizeof(tag));
	assert_int_equal(parse_elements_check(PARSE_TAGS, &answer, tag, &err), -EPROTO);
	check_form();
	/* A tag before there is an image. */
	assert_int_equal(parse_elements_check(PARSE_ARCHIVE, &answer, &line, &err), -EPROTO);
	line.kind = ARCHIVE_CONFIG;
	assert_int_equal(parse_elements_check(PARSE_ARCHIVE, &answer, &line, &err), 0);
	memset(line.text, 'a', sizeof(line.text));
	assert_int_equal(parse_elements_check(PARSE_ARCHIVE, &answer, &line, &err), -EPROTO);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_nothing_to_choose),
		cmocka_unit_test(test_untold_platform_is_last),
		cmocka_unit_test(test_names_in_index),
		cmocka_unit_test(test_refused_manifests),
		cmocka_unit_test(test_too_many_layers),
		cmocka_unit_test(test_other_documents),
		cmocka_unit_test(test_refused_documents),
		cmocka_unit_test(test_no_tags),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_dead_stage),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_elements),
	};

	if (argc == 1 && strcmp(argv[0], "cman-parse") == 0)
		return parse_stage_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
