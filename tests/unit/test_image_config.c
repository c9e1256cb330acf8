/* SPDX-License-Identifier: Apache-2.0 */
/* OCI image configurations, read and made: image/config.c, image/config_rootfs.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/config.h"
#include "image/config_rootfs.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/json.h"
#include "tests/unit/document_fixture.h"

#define DIFF_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_ID "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static int read_config(const char *json, struct image_config *out, struct err *err)
{
	AUTO_IMAGE_DOCUMENT struct image_document document = fixture_document(json);

	return image_config_read(&document.root, out, err);
}

static void test_all_members(void **state)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		read_config(
			"{\"architecture\": \"arm64\", \"os\": \"linux\","
			"\"config\": {\"Env\": [\"A=1\", \"B=\"],"
			"\"Entrypoint\": [\"/e\"], \"Cmd\": [\"c\", \"d e\"],"
			"\"WorkingDir\": \"/w\", \"User\": \"u:g\","
			"\"StopSignal\": \"SIGQUIT\", \"Labels\": {\"a\": \"1\", \"b=c\": \"\"},"
			"\"Volumes\": {\"/v\": {}},"
			"\"ExposedPorts\": {\"80/tcp\": {}},"
			"\"Healthcheck\": {\"Test\": [\"CMD\", \"t\"],"
			"\"Interval\": 5000000000, \"Retries\": 3}}}",
			&config, &err),
		0);
	assert_string_equal(config.platform.os, "linux");
	assert_string_equal(config.platform.architecture, "arm64");
	assert_string_equal(config.env[0], "A=1");
	assert_string_equal(config.env[1], "B=");
	assert_null(config.env[2]);
	assert_string_equal(config.entrypoint[0], "/e");
	assert_null(config.entrypoint[1]);
	assert_string_equal(config.cmd[1], "d e");
	assert_null(config.cmd[2]);
	assert_string_equal(config.working_dir, "/w");
	assert_string_equal(config.user, "u:g");
	assert_string_equal(config.stop_signal, "SIGQUIT");
	assert_int_equal(config.nlabels, 2);
	assert_string_equal(config.labels[0].key, "a");
	assert_string_equal(config.labels[0].value, "1");
	assert_string_equal(config.labels[1].key, "b=c");
	assert_string_equal(config.labels[1].value, "");
	assert_string_equal(config.volumes[0], "/v");
	assert_null(config.volumes[1]);
	assert_string_equal(config.exposed_ports[0], "80/tcp");
	assert_string_equal(config.healthcheck.test[1], "t");
	assert_int_equal(config.healthcheck.interval_ns, 5000000000);
	assert_int_equal(config.healthcheck.timeout_ns, 0);
	assert_int_equal(config.healthcheck.retries, 3);
}

static void test_missing_members(void **state)
{
	static const char *const cases[] = {
		"{}",
		"{\"config\": null}",
		"{\"config\": {}}",
		"{\"config\": {\"Env\": null, \"Cmd\": null, \"User\": \"\", \"WorkingDir\": \"\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(read_config(cases[i], &config, &err), 0);
		assert_null(config.env);
		assert_null(config.cmd);
		assert_null(config.entrypoint);
		assert_null(config.user);
		assert_null(config.working_dir);
		assert_int_equal(config.nlabels, 0);
		assert_null(config.volumes);
		assert_null(config.healthcheck.test);
		/* Early ones tell nothing; they are all for the same. */
		assert_string_equal(config.platform.os, "linux");
		assert_string_equal(config.platform.architecture, "amd64");
	}
}

static void test_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "[]", "image configuration: not a JSON object" },
		{ "{\"config\": 1}", "image configuration: \"config\" is not an object" },
		{ "{\"config\": {\"Cmd\": \"sh\"}}",
		  "image configuration: \"Cmd\" is not an array" },
		{ "{\"config\": {\"Cmd\": [1]}}",
		  "image configuration: \"Cmd\": element 0 is not a string" },
		{ "{\"config\": {\"Env\": [\"A\"]}}",
		  "image configuration: config.Env: 'A' is not written KEY=VALUE" },
		{ "{\"config\": {\"Env\": [\"=A\"]}}",
		  "image configuration: config.Env: '=A' is not written KEY=VALUE" },
		{ "{\"config\": {\"User\": 0}}", "image configuration: \"User\" is not a string" },
		{ "{\"config\": {\"Labels\": {\"a\": 1}}}",
		  "image configuration: config.Labels: \"a\" is not a string" },
		{ "{\"config\": {\"Volumes\": []}}",
		  "image configuration: \"Volumes\" is not an object" },
		{ "{\"config\": {\"ExposedPorts\": 80}}",
		  "image configuration: \"ExposedPorts\" is not an object" },
		{ "{\"config\": {\"Healthcheck\": {\"Test\": \"t\"}}}",
		  "image configuration: config.Healthcheck: \"Test\" is not an array" },
		{ "{\"config\": {\"Healthcheck\": {\"Timeout\": -1}}}",
		  "image configuration: config.Healthcheck: \"Timeout\" is negative" },
		{ "{\"os\": 1}", "image configuration: \"os\" is not a string" },
		{ "{\"architecture\": \"a b\"}", "image configuration: its platform is malformed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image_config config = { .user = (char *)1 };
		struct err err = ERR_INIT;

		assert_int_equal(read_config(cases[i][0], &config, &err), -EINVAL);
		assert_string_equal(err.text, cases[i][1]);
		assert_ptr_equal(config.user, (char *)1);
	}
}

/* --- layers --- */

static void assert_layers_refused(const char *json, const char *why)
{
	AUTO_IMAGE_DOCUMENT struct image_document document = fixture_document(json);
	char(*ids)[DIGEST_HEX_LEN + 1] = NULL;
	struct err err = ERR_INIT;
	size_t n = 77;

	assert_true(image_config_read_layers(&document.root, &ids, &n, &err) < 0);
	assert_string_equal(err.text, why);
	assert_null(ids);
	assert_int_equal(n, 77);
}

static void test_layers(void **state)
{
	AUTO_IMAGE_DOCUMENT struct image_document document = fixture_document(
		"{\"rootfs\":{\"diff_ids\":[\"sha256:" DIFF_ID "\",\"sha256:" OTHER_ID "\"]}}");
	AUTO_FREE char(*ids)[DIGEST_HEX_LEN + 1] = NULL;
	struct err err = ERR_INIT;
	size_t n;

	(void)state;
	assert_int_equal(image_config_read_layers(&document.root, &ids, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(ids[0], DIFF_ID);
	assert_string_equal(ids[1], OTHER_ID);
}

static void test_layers_refused(void **state)
{
	AUTO_BUF struct buf many = BUF_INIT;

	(void)state;
	assert_layers_refused("{}", "image configuration: \"rootfs\" is missing");
	assert_layers_refused("{\"rootfs\":[]}",
			      "image configuration: \"rootfs\" is not an object");
	assert_layers_refused("{\"rootfs\":{}}",
			      "image configuration: \"rootfs\": there is no layer in it");
	assert_layers_refused("{\"rootfs\":{\"type\":\"x\"}}",
			      "image configuration: \"rootfs\": its type is not known: x");
	assert_layers_refused("{\"rootfs\":{\"diff_ids\":[1]}}",
			      "image configuration: \"rootfs\": \"diff_ids\": element 0 is not a "
			      "string");
	assert_layers_refused("{\"rootfs\":{\"diff_ids\":[\"sha256:ab\"]}}",
			      "image configuration: \"rootfs\": \"diff_ids\": not a digest: "
			      "sha256:ab");
	buf_addstr(&many, "{\"rootfs\":{\"diff_ids\":[");
	for (int i = 0; i < 128; i++)
		buf_addf(&many, "%s\"sha256:" DIFF_ID "\"", i ? "," : "");
	buf_addstr(&many, "]}}");
	assert_layers_refused(many.data,
			      "image configuration: \"rootfs\": it has more than 127 layers");
}

/* --- one that is made here --- */

/* The image ID is the digest of this text: a change of it changes the ID of every image. */
static void test_made(void **state)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	AUTO_BUF struct buf form = BUF_INIT;
	AUTO_JSON json_t *root = NULL;
	AUTO_FREE char *json = NULL;
	struct flat flat = FLAT_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(config_for_rootfs("amd64", DIFF_ID, "/bin/bash", &root, &err), 0);
	assert_int_equal(image_document_print(root, &json, &form, &err), 0);
	assert_string_equal(
		json,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":["
		"\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"],"
		"\"Cmd\":[\"/bin/bash\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" DIFF_ID
		"\"]},\"history\":[{\"created_by\":\"cman pull\","
		"\"comment\":\"root file system archive\"}]}");
	assert_int_equal(flat_open(form.data, form.len, &flat, &err), 0);
	assert_int_equal(image_config_read(&flat, &config, &err), 0);
	assert_string_equal(config.cmd[0], "/bin/bash");
}

/* Nothing that no container could be made from. */
static void test_made_wrong(void **state)
{
	AUTO_BUF struct buf form = BUF_INIT;
	AUTO_JSON json_t *root = json_pack("{s:{s:[s]}}", "config", "Env", "A");
	struct err err = ERR_INIT;
	char *json = NULL;

	(void)state;
	assert_int_equal(image_document_print(root, &json, &form, &err), -EINVAL);
	assert_string_equal(err.text,
			    "image configuration: config.Env: 'A' is not written KEY=VALUE");
	assert_null(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_members),    cmocka_unit_test(test_missing_members),
		cmocka_unit_test(test_refused),	       cmocka_unit_test(test_layers),
		cmocka_unit_test(test_layers_refused), cmocka_unit_test(test_made),
		cmocka_unit_test(test_made_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
