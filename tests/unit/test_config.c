/* SPDX-License-Identifier: Apache-2.0 */
/* cman.conf */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/config.h"

static void assert_image(const char *text, const char *image)
{
	AUTO_CONFIG struct config config = CONFIG_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(config_parse("f", text, strlen(text), &config, &err), 0);
	assert_string_equal(config.default_image, image);
}

static void assert_refused(const char *text, size_t len, const char *message)
{
	struct config config = { .default_image = (char *)"untouched" };
	struct err err = ERR_INIT;

	assert_int_equal(config_parse("f", text, len, &config, &err), -EINVAL);
	assert_string_equal(err.text, message);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(config.default_image, "untouched");
}

static void test_values(void **state)
{
	(void)state;
	assert_image("", "ubuntu-base");
	assert_image("# nothing\n\n  \t\n", "ubuntu-base");
	assert_image("default_image = busybox", "busybox");
	assert_image("default_image=busybox\n", "busybox");
	assert_image("  default_image\t=  busybox:1  # small\r\n", "busybox:1");
	assert_image("#default_image = a\ndefault_image = b#c\n", "b#c");
}

static void test_limits(void **state)
{
	static const char text[] = "image_max_layers = 5\nimage_max_unpacked=3G\n"
				   "image_max_entries = 10k # few\nimage_max_expansion = 7\n";
	static const struct image_limits defaults = IMAGE_LIMITS_DEFAULT;
	AUTO_CONFIG struct config config = CONFIG_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(config_parse("f", text, strlen(text), &config, &err), 0);
	assert_int_equal(config.limits.layers, 5);
	assert_int_equal(config.limits.unpack.bytes, 3LL << 30);
	assert_int_equal(config.limits.unpack.entries, 10 << 10);
	assert_int_equal(config.limits.unpack.expansion, 7);
	assert_int_equal(config.limits.manifest_bytes, defaults.manifest_bytes);
	assert_int_equal(config.limits.blob_bytes, defaults.blob_bytes);
	assert_int_equal(config.limits.unpack.depth, defaults.unpack.depth);
}

static void refuse_limit(const char *line, const char *why)
{
	char message[256];

	snprintf(message, sizeof(message), "f:1: %s", why);
	assert_refused(line, strlen(line), message);
}

static void refuse_number(const char *value)
{
	char line[128], why[256];

	snprintf(line, sizeof(line), "image_max_entries = %s", value);
	snprintf(why, sizeof(why),
		 "image_max_entries is not a whole number from 1 on, or one with k, m, g or t: %s",
		 value);
	refuse_limit(line, why);
}

static void test_bad_limits(void **state)
{
	static const char twice[] = "image_max_layers = 1\nimage_max_layers = 1\n";

	(void)state;
	refuse_number("0");
	refuse_number("-1");
	refuse_number("1kk");
	refuse_number("k");
	refuse_number("9223372036854775808");
	refuse_number("9223372036854775807k");
	refuse_limit("image_max_layers = 128\n", "image_max_layers can be 127 at most");
	refuse_limit("image_max_fun = 1\n", "unknown key: image_max_fun");
	assert_refused(twice, strlen(twice), "f:2: image_max_layers is set a second time");
}

static void test_errors(void **state)
{
	static const char nul[] = "default_image = a\0b\n";

	(void)state;
	assert_refused("\n\ndefault-image = x\n", 19, "f:3: unknown key: default-image");
	assert_refused("default_image\n", 14, "f:1: not of the form key = value: default_image");
	assert_refused("default_image =\n", 16, "f:1: default_image has no value");
	assert_refused("default_image = # x\n", 20, "f:1: default_image has no value");
	assert_refused("default_image = a\ndefault_image = b\n", 36,
		       "f:2: default_image is set a second time");
	assert_refused("= x\n", 4, "f:1: unknown key: ");
	assert_refused(nul, sizeof(nul) - 1, "f:1: holds a NUL byte");
}

static void test_files(void **state)
{
	char path[] = "/tmp/cman-test-config.XXXXXX";
	int fd = mkstemp(path);
	struct config config = CONFIG_INIT;
	struct err err = ERR_INIT;
	char expected[128];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "default_image = box\n", 20), 20);
	setenv("CMAN_CONFIG", path, 1);
	assert_int_equal(config_load(&config, &err), 0);
	assert_string_equal(config.default_image, "box");
	config_release(&config);
	assert_int_equal(write(fd, "colour = red\n", 13), 13);
	assert_int_equal(config_load(&config, &err), -EINVAL);
	snprintf(expected, sizeof(expected), "%s:2: unknown key: colour", path);
	assert_string_equal(err.text, expected);
	close(fd);
	unlink(path);
	/* One that was asked for by name must be there. */
	assert_int_equal(config_load(&config, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	/* A directory is no configuration. */
	setenv("CMAN_CONFIG", "/tmp", 1);
	assert_true(config_load(&config, &err) < 0);
	unsetenv("CMAN_CONFIG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	   cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bad_limits), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
