/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/mounts.h"

#include <errno.h>
#include <linux/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "manager/runtime/rootfs.h"

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

static struct mount_options parse(char *const *options)
{
	struct mount_options out = { .bind = true }; /* all of it is set */

	mount_options_parse(options, &out);
	return out;
}

static void attributes_are_recognised(void **state)
{
	struct mount_options options = parse(WORDS("nosuid", "nodev", "noexec", "ro", "size=1m"));

	(void)state;
	assert_int_equal(options.set, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
					      MOUNT_ATTR_RDONLY);
	assert_int_equal(options.clear, 0);
	assert_int_equal(options.propagation, 0);
	assert_false(options.bind);
	assert_false(options.recursive);
}

static void the_last_word_counts(void **state)
{
	struct mount_options options = parse(WORDS("ro", "rw"));

	(void)state;
	assert_int_equal(options.set, 0);
	options = parse(WORDS("rw", "ro"));
	assert_int_equal(options.set, MOUNT_ATTR_RDONLY);
	options = parse(WORDS("noexec", "exec"));
	assert_int_equal(options.set, 0);
	assert_int_equal(options.clear, MOUNT_ATTR_NOEXEC);
	options = parse(WORDS("exec", "noexec"));
	assert_int_equal(options.set, MOUNT_ATTR_NOEXEC);
	assert_int_equal(options.clear, 0);
}

static void rw_opens_nothing_that_is_read_only(void **state)
{
	struct mount_options options = parse(WORDS("rbind", "rprivate", "rw"));

	(void)state;
	assert_int_equal(options.set, 0);
	assert_int_equal(options.clear, 0);
}

/* mount_setattr(2) wants all bits of the access time cleared to set another of them. */
static void access_times_exclude_each_other(void **state)
{
	struct mount_options options = parse(WORDS("noatime", "strictatime"));

	(void)state;
	assert_int_equal(options.set, MOUNT_ATTR_STRICTATIME);
	assert_int_equal(options.clear & MOUNT_ATTR__ATIME & ~MOUNT_ATTR_STRICTATIME,
			 MOUNT_ATTR__ATIME & ~MOUNT_ATTR_STRICTATIME);
	options = parse(WORDS("relatime"));
	assert_int_equal(options.set, 0);
	assert_int_equal(options.clear, MOUNT_ATTR__ATIME);
}

static void binding_and_propagation_have_a_reach_each(void **state)
{
	struct mount_options options = parse(WORDS("rbind", "slave", "ro"));

	(void)state;
	assert_true(options.bind);
	assert_true(options.recursive);
	assert_int_equal(options.propagation, MS_SLAVE);
	assert_false(options.recursive_propagation);
	options = parse(WORDS("bind", "rshared"));
	assert_true(options.bind);
	assert_false(options.recursive);
	assert_int_equal(options.propagation, MS_SHARED);
	assert_true(options.recursive_propagation);
}

static void the_rest_is_for_the_file_system(void **state)
{
	(void)state;
	assert_true(mount_option_is_data("mode=1777"));
	assert_true(mount_option_is_data("newinstance"));
	assert_true(mount_option_is_data("roo"));
	assert_false(mount_option_is_data("ro"));
	assert_false(mount_option_is_data("defaults"));
	assert_false(mount_option_is_data("rprivate"));
	mount_options_parse(NULL, &(struct mount_options){ 0 });
}

static void overlay_options_name_the_top_layer_first(void **state)
{
	const int lower[] = { 11, 12, 13 };
	char text[256];
	const char *expected = "lowerdir=/proc/self/fd/13:/proc/self/fd/12:/proc/self/fd/11,"
			       "upperdir=/proc/self/fd/20,workdir=/proc/self/fd/21,"
			       "redirect_dir=nofollow,metacopy=off,index=off";

	(void)state;
	assert_int_equal(rootfs_overlay_options(lower, 3, 20, 21, false, text, sizeof(text)),
			 (int)strlen(expected));
	assert_string_equal(text, expected);
	assert_true(rootfs_overlay_options(lower, 3, 20, 21, true, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, ",volatile"));
	/* to be looked at only */
	assert_true(rootfs_overlay_options(lower, 2, -1, -1, false, text, sizeof(text)) > 0);
	assert_string_equal(text, "lowerdir=/proc/self/fd/12:/proc/self/fd/11,"
				  "redirect_dir=nofollow,metacopy=off,index=off");
}

static void more_layers_than_a_page_holds_are_refused(void **state)
{
	int lower[300];
	char text[4096];

	(void)state;
	for (int i = 0; i < 300; i++)
		lower[i] = 100 + i;
	assert_true(rootfs_overlay_options(lower, 200, 3, 4, true, text, sizeof(text)) > 0);
	assert_int_equal(rootfs_overlay_options(lower, 300, 3, 4, true, text, sizeof(text)),
			 -E2BIG);
	/* each size down to none: never written beyond, never taken for whole */
	for (size_t size = 1; size < 120; size++)
		assert_int_equal(rootfs_overlay_options(lower, 4, 3, 4, true, text, size), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_recognised),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(rw_opens_nothing_that_is_read_only),
		cmocka_unit_test(access_times_exclude_each_other),
		cmocka_unit_test(binding_and_propagation_have_a_reach_each),
		cmocka_unit_test(the_rest_is_for_the_file_system),
		cmocka_unit_test(overlay_options_name_the_top_layer_first),
		cmocka_unit_test(more_layers_than_a_page_holds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
