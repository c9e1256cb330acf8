/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/passwd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct slice text(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static void assert_slice(struct slice slice, const char *expected)
{
	assert_int_equal(slice.len, strlen(expected));
	assert_memory_equal(slice.data, expected, slice.len);
}

static void reads_entries_in_order(void **state)
{
	struct slice rest = text("root:x:0:0:root:/root:/bin/bash\n"
				 "bird:x:1000:1001:Bird,,,:/home/bird:/bin/sh\n");
	struct passwd_entry entry;

	(void)state;
	assert_true(passwd_next(&rest, &entry));
	assert_slice(entry.name, "root");
	assert_int_equal(entry.uid, 0);
	assert_true(passwd_next(&rest, &entry));
	assert_slice(entry.name, "bird");
	assert_int_equal(entry.uid, 1000);
	assert_int_equal(entry.gid, 1001);
	assert_slice(entry.home, "/home/bird");
	assert_false(passwd_next(&rest, &entry));
}

static void passes_over_what_is_no_entry(void **state)
{
	struct slice rest = text("# comment\n"
				 "\n"
				 "   \t\n"
				 "+nis::::::\n"
				 "-nis:x:1:1\n"
				 ":x:2:2::/:\n"
				 "few:x:3\n"
				 "word:x:three:3::/:\n"
				 "sign:x:-3:3::/:\n"
				 "space:x: 3:3::/:\n"
				 "huge:x:99999999999999999999999999:3::/:\n"
				 "minus1:x:4294967295:3::/:\n"
				 "nogid:x:3::::\n"
				 "good:x:4294967294:3::/:\n");
	struct passwd_entry entry;

	(void)state;
	assert_true(passwd_next(&rest, &entry));
	assert_slice(entry.name, "good");
	assert_int_equal(entry.uid, 4294967294U);
	assert_false(passwd_next(&rest, &entry));
}

static void needs_neither_newline_nor_all_fields(void **state)
{
	struct slice rest = text("  short:x:7:8");
	struct passwd_entry entry;

	(void)state;
	assert_true(passwd_next(&rest, &entry));
	assert_slice(entry.name, "short");
	assert_int_equal(entry.gid, 8);
	assert_int_equal(entry.home.len, 0);
	assert_int_equal(rest.len, 0);
}

static void reads_what_dos_wrote(void **state)
{
	struct slice rest = text("a:x:1:2::/home/a:/bin/sh\r\nb:x:3:4\r\n");
	struct passwd_entry entry;

	(void)state;
	assert_true(passwd_next(&rest, &entry));
	assert_slice(entry.home, "/home/a");
	assert_true(passwd_next(&rest, &entry));
	assert_int_equal(entry.gid, 4);
}

/* The slices end where the bytes end: AddressSanitizer watches the byte behind. */
static void looks_at_nothing_behind_the_text(void **state)
{
	static const char *const pieces[] = { "a", "a:", "a:x", "a:x:1", "a:x:1:", "a:x:1:2:",
					      " ", "\n", ":",	"+",	 "\r",	   "a:x:1:2:g:h" };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t len = strlen(pieces[i]);
		char *exact = malloc(len);
		struct slice rest = { exact, len };
		struct passwd_entry entry;

		assert_non_null(exact);
		memcpy(exact, pieces[i], len);
		while (passwd_next(&rest, &entry))
			;
		assert_int_equal(rest.len, 0);
		free(exact);
	}
}

static void finds_members_of_groups(void **state)
{
	struct slice rest = text("empty:x:1:\n"
				 "none:x:2\n"
				 "some:x:3:bird, fish,cat\n");
	struct group_entry group;

	(void)state;
	assert_true(group_next(&rest, &group));
	assert_false(group_has_member(&group, ""));
	assert_false(group_has_member(&group, "bird"));
	assert_true(group_next(&rest, &group));
	assert_int_equal(group.gid, 2);
	assert_true(group_next(&rest, &group));
	assert_true(group_has_member(&group, "bird"));
	assert_true(group_has_member(&group, "fish"));
	assert_true(group_has_member(&group, "cat"));
	assert_false(group_has_member(&group, "ca"));
	assert_false(group_has_member(&group, "cats"));
	assert_false(group_next(&rest, &group));
}

static void parses_ids(void **state)
{
	uint32_t id = 42;

	(void)state;
	assert_true(passwd_parse_id(text("0"), &id));
	assert_int_equal(id, 0);
	assert_true(passwd_parse_id(text("0000000000000000000000065534"), &id));
	assert_int_equal(id, 65534);
	assert_false(passwd_parse_id(text(""), &id));
	assert_false(passwd_parse_id(text("+1"), &id));
	assert_false(passwd_parse_id(text("1x"), &id));
	assert_false(passwd_parse_id(text("4294967295"), &id));
	assert_int_equal(id, 65534);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_entries_in_order),
		cmocka_unit_test(passes_over_what_is_no_entry),
		cmocka_unit_test(needs_neither_newline_nor_all_fields),
		cmocka_unit_test(reads_what_dos_wrote),
		cmocka_unit_test(looks_at_nothing_behind_the_text),
		cmocka_unit_test(finds_members_of_groups),
		cmocka_unit_test(parses_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
