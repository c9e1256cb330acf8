/* SPDX-License-Identifier: Apache-2.0 */
/* OCI image configurations, read and made: image/config.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/config.h"

#define DIFF_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_all_members(void **state)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		image_config_parse("{\"architecture\": \"arm64\", \"os\": \"linux\","
				   "\"config\": {\"Env\": [\"A=1\", \"B=\"],"
				   "\"Entrypoint\": [\"/e\"], \"Cmd\": [\"c\", \"d e\"],"
				   "\"WorkingDir\": \"/w\", \"User\": \"u:g\","
				   "\"StopSignal\": \"SIGQUIT\", \"Labels\": {\"a\": \"1\"},"
				   "\"Volumes\": {\"/v\": {}},"
				   "\"ExposedPorts\": {\"80/tcp\": {}},"
				   "\"Healthcheck\": {\"Test\": [\"CMD\", \"t\"],"
				   "\"Interval\": 5000000000, \"Retries\": 3}}}",
				   &config, &err),
		0);
	assert_string_equal(config.architecture, "arm64");
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
	assert_string_equal(json_string_value(json_object_get(config.labels, "a")), "1");
	assert_non_null(json_object_get(config.volumes, "/v"));
	assert_non_null(json_object_get(config.exposed_ports, "80/tcp"));
	assert_int_equal(json_integer_value(json_object_get(config.healthcheck, "Retries")), 3);
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

		assert_int_equal(image_config_parse(cases[i], &config, &err), 0);
		assert_null(config.env);
		assert_null(config.cmd);
		assert_null(config.entrypoint);
		assert_null(config.user);
		assert_null(config.working_dir);
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
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image_config config = { .user = (char *)1 };
		struct err err = ERR_INIT;

		assert_int_equal(image_config_parse(cases[i][0], &config, &err), -EINVAL);
		assert_string_equal(err.text, cases[i][1]);
		assert_ptr_equal(config.user, (char *)1);
	}
}

/* The image ID is the digest of this text: a change of it changes the ID of every image. */
static void test_made(void **state)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	struct err err = ERR_INIT;
	char *json = NULL;

	(void)state;
	assert_int_equal(image_config_for_rootfs("amd64", DIFF_ID, "/bin/bash", &json, &err), 0);
	assert_string_equal(
		json,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":["
		"\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"],"
		"\"Cmd\":[\"/bin/bash\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" DIFF_ID
		"\"]},\"history\":[{\"created_by\":\"cman pull\","
		"\"comment\":\"root file system archive\"}]}");
	assert_int_equal(image_config_parse(json, &config, &err), 0);
	assert_string_equal(config.cmd[0], "/bin/bash");
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_members),
		cmocka_unit_test(test_missing_members),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
