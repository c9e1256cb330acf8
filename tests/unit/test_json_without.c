/* SPDX-License-Identifier: Apache-2.0 */
/* A document without what nobody needs: the rest of it is as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/json_without.h"

static const char *const keys[] = { "a", "long one", NULL };

static void assert_without(const char *text, const char *expected)
{
	AUTO_BUF struct buf out = BUF_INIT;

	json_add_without(&out, text, strlen(text), keys);
	assert_string_equal(out.data, expected);
}

static void members_go_wherever_they_stand(void **state)
{
	(void)state;
	assert_without("{\"a\":1,\"b\":2}", "{\"b\":2}");
	assert_without("{\"b\":2,\"a\":1}", "{\"b\":2}");
	assert_without("{\"b\":2,\"a\":1,\"c\":3}", "{\"b\":2,\"c\":3}");
	assert_without("{\"a\":1}", "{}");
	assert_without("{\"a\":1,\"long one\":2}", "{}");
	assert_without("{\"b\":0,\"a\":1,\"long one\":2}", "{\"b\":0}");
	assert_without("{\"b\":{\"a\":1,\"c\":2},\"a\":3}", "{\"b\":{\"c\":2}}");
	assert_without("{ \"b\" : 2 ,\n\t\"a\" : [ 1 ]\n}", "{ \"b\" : 2 }");
}

static void values_go_whole(void **state)
{
	(void)state;
	assert_without("{\"a\":{\"x\":[1,{\"y\":2}],\"z\":[]},\"b\":2}", "{\"b\":2}");
	assert_without("{\"a\":\"},{\\\"\",\"b\":2}", "{\"b\":2}");
	assert_without("{\"a\":\"\\\\\",\"b\":2}", "{\"b\":2}");
	assert_without("{\"a\":[\"]\",\"}\"],\"b\":2}", "{\"b\":2}");
	assert_without("{\"a\":null,\"b\":2}", "{\"b\":2}");
}

static void what_only_looks_like_it_stays(void **state)
{
	(void)state;
	assert_without("{\"aa\":1,\"long\":2,\"\":3}", "{\"aa\":1,\"long\":2,\"\":3}");
	assert_without("{\"b\":\"a\",\"c\":[\"a\",\"long one\"]}",
		       "{\"b\":\"a\",\"c\":[\"a\",\"long one\"]}");
	assert_without("{\"b\":\"\\\"a\\\":1,\",\"c\":2}", "{\"b\":\"\\\"a\\\":1,\",\"c\":2}");
	/* Of a member of a member's member, and of an element. */
	assert_without("{\"b\":{\"c\":{\"a\":1}}}", "{\"b\":{\"c\":{\"a\":1}}}");
	assert_without("{\"b\":[[{\"a\":1}]]}", "{\"b\":[[{\"a\":1}]]}");
	/* Depth is counted after it, too. */
	assert_without("{\"b\":{\"c\":{\"a\":1}},\"a\":1,\"d\":{\"a\":1}}",
		       "{\"b\":{\"c\":{\"a\":1}},\"d\":{}}");
}

static void text_that_ends_too_early_ends(void **state)
{
	static const char text[] = "{\"b\":[{\"x\":\"\\\"\"}],\"a\":{\"y\":[\"\\\\\"]},\"c\":1}";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		AUTO_BUF struct buf out = BUF_INIT;
		/* So that a sanitizer sees what is read behind it. */
		char *part = malloc(len + 1);

		assert_non_null(part);
		memcpy(part, text, len);
		part = realloc(part, len ? len : 1);
		json_add_without(&out, part, len, keys);
		assert_true(out.len <= len);
		free(part);
	}
	assert_without("]}]\"a\":1,}", "]}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_go_wherever_they_stand),
		cmocka_unit_test(values_go_whole),
		cmocka_unit_test(what_only_looks_like_it_stays),
		cmocka_unit_test(text_that_ends_too_early_ends),
	};

	return cmocka_run_group_tests_name("json_without", tests, NULL, NULL);
}
