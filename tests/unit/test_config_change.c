/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations of images made from others: image/config_change.c, image/config_words.c,
 * image/config_layer.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/config_change.h"
#include "image/config_words.h"
#include "image/document.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"

#define PARENT                                                                                  \
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"container\":\"abc\",\"config\":{"       \
	"\"Env\":[\"PATH=/bin\",\"A=1\"],\"Cmd\":[\"sh\"],\"WorkingDir\":\"/srv\",\"Labels\":{" \
	"\"old\":\"x\"}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:11\"]},"        \
	"\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}]}"

static json_t *parent(void)
{
	json_t *root = json_loads(PARENT, 0, NULL);

	assert_non_null(root);
	return root;
}

/* The member `config` after one instruction, or the error. */
static void assert_changed(const char *instruction, const char *key, const char *expected)
{
	AUTO_JSON json_t *root = parent();
	char *const list[] = { (char *)instruction, NULL };
	struct err err = ERR_INIT;
	AUTO_FREE char *text = NULL;

	if (config_change(root, list, &err) < 0)
		fail_msg("%s", err.text);
	text = json_dumps(json_object_get(json_object_get(root, "config"), key),
			  JSON_COMPACT | JSON_ENCODE_ANY);
	assert_string_equal(text ? text : "missing", expected);
}

static void assert_refused(const char *instruction, const char *text)
{
	AUTO_JSON json_t *root = parent();
	char *const list[] = { (char *)instruction, NULL };
	struct err err = ERR_INIT;

	assert_true(config_change(root, list, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.text, text);
}

static void test_instructions(void **state)
{
	(void)state;
	assert_changed("CMD [\"a\", \"b c\"]", "Cmd", "[\"a\",\"b c\"]");
	assert_changed("CMD echo $A", "Cmd", "[\"/bin/sh\",\"-c\",\"echo $A\"]");
	assert_changed("cmd [not json", "Cmd", "[\"/bin/sh\",\"-c\",\"[not json\"]");
	assert_changed("ENTRYPOINT [\"e\"]", "Entrypoint", "[\"e\"]");
	assert_changed("ENTRYPOINT [\"e\"]", "Cmd", "missing");
	assert_changed("ENV B=2 C=\"3 4\"", "Env", "[\"PATH=/bin\",\"A=1\",\"B=2\",\"C=3 4\"]");
	assert_changed("ENV PATH=$PATH:/x${A}", "Env", "[\"PATH=/bin:/x1\",\"A=1\"]");
	assert_changed("ENV B two words", "Env", "[\"PATH=/bin\",\"A=1\",\"B=two words\"]");
	assert_changed("ENV B='$A' C=\\$A D=$nothing", "Env",
		       "[\"PATH=/bin\",\"A=1\",\"B=$A\",\"C=$A\",\"D=\"]");
	assert_changed("EXPOSE 80 53/udp 8000-8001", "ExposedPorts",
		       "{\"80/tcp\":{},\"53/udp\":{},\"8000/tcp\":{},\"8001/tcp\":{}}");
	assert_changed("LABEL new=\"a b\" c=d", "Labels",
		       "{\"old\":\"x\",\"new\":\"a b\",\"c\":\"d\"}");
	assert_changed("HEALTHCHECK NONE", "Healthcheck", "{\"Test\":[\"NONE\"]}");
	assert_changed("HEALTHCHECK CMD curl -f http://$HOST/", "Healthcheck",
		       "{\"Test\":[\"CMD-SHELL\",\"curl -f http://$HOST/\"]}");
	assert_changed("HEALTHCHECK CMD-SHELL [ -e /up ]", "Healthcheck",
		       "{\"Test\":[\"CMD-SHELL\",\"[ -e /up ]\"]}");
	assert_changed("healthcheck --interval=1m30s --timeout=500ms  --start-period=0s "
		       "--start-interval=2 --retries=4 cmd [\"test\", \"-e\", \"/up\"]",
		       "Healthcheck",
		       "{\"Interval\":90000000000,\"Timeout\":500000000,\"StartPeriod\":0,"
		       "\"StartInterval\":2000000000,\"Retries\":4,"
		       "\"Test\":[\"CMD\",\"test\",\"-e\",\"/up\"]}");
	assert_changed("STOPSIGNAL SIGQUIT", "StopSignal", "\"SIGQUIT\"");
	assert_changed("USER nobody:nogroup", "User", "\"nobody:nogroup\"");
	assert_changed("VOLUME [\"/a\", \"/b\"]", "Volumes", "{\"/a\":{},\"/b\":{}}");
	assert_changed("VOLUME /a /b", "Volumes", "{\"/a\":{},\"/b\":{}}");
	assert_changed("  WORKDIR   /x ", "WorkingDir", "\"/x\"");
	assert_changed("WORKDIR sub", "WorkingDir", "\"/srv/sub\"");
}

static void test_refusals(void **state)
{
	(void)state;
	assert_refused("RUN true", "RUN true: an image's configuration cannot be changed by it");
	assert_refused("ONBUILD CMD x",
		       "ONBUILD CMD x: an image's configuration cannot be changed by it");
	assert_refused("", ": an image's configuration cannot be changed by it");
	assert_refused("CMD", "CMD: a value is missing");
	assert_refused("ENV A", "ENV A: it is written KEY=VALUE");
	assert_refused("ENV A=1 B", "ENV A=1 B: B is not written KEY=VALUE");
	assert_refused("ENV A='1", "ENV A='1: there is a ' without its end");
	assert_refused("ENV A=${B:-c}", "ENV A=${B:-c}: only ${NAME} is understood: ${B:-c}");
	assert_refused("EXPOSE 0", "EXPOSE 0: 0 is no port, such as 80 or 53/udp");
	assert_refused("EXPOSE 80/http",
		       "EXPOSE 80/http: 80/http is no port, such as 80 or 53/udp");
	assert_refused("EXPOSE 99999", "EXPOSE 99999: 99999 is no port, such as 80 or 53/udp");
	assert_refused("HEALTHCHECK curl x", "HEALTHCHECK curl x: what is to be run stands behind "
					     "the word CMD");
	assert_refused("HEALTHCHECK --retries=1",
		       "HEALTHCHECK --retries=1: what is to be run stands behind the word CMD");
	assert_refused("HEALTHCHECK CMD", "HEALTHCHECK CMD: a command is missing");
	assert_refused("HEALTHCHECK NONE true",
		       "HEALTHCHECK NONE true: NONE stands alone: there is no check then");
	assert_refused("HEALTHCHECK --interval=2s NONE",
		       "HEALTHCHECK --interval=2s NONE: NONE stands alone: there is no check then");
	assert_refused("HEALTHCHECK --every=2s CMD x",
		       "HEALTHCHECK --every=2s CMD x: HEALTHCHECK has no option --every");
	assert_refused("HEALTHCHECK --interval 2s CMD x",
		       "HEALTHCHECK --interval 2s CMD x: HEALTHCHECK has no option --interval");
	assert_refused("HEALTHCHECK --timeout=fast CMD x",
		       "HEALTHCHECK --timeout=fast CMD x: --timeout=fast: not a span of time such "
		       "as 30s");
	assert_refused("HEALTHCHECK --retries=-1 CMD x",
		       "HEALTHCHECK --retries=-1 CMD x: --retries=-1: not a number");
	assert_refused("HEALTHCHECK CMD \xff", "HEALTHCHECK CMD \xff: it is not UTF-8");
	assert_refused("USER a b", "USER a b: one value is wanted, not 2");
	assert_refused("VOLUME a", "VOLUME a: a is no absolute path");
	assert_refused("USER \xff", "USER \xff: it is not UTF-8");
}

/* A CMD before an ENTRYPOINT stays, that of the parent goes. */
static void test_order(void **state)
{
	AUTO_JSON json_t *root = parent();
	char *const list[] = { "CMD [\"new\"]", "ENTRYPOINT [\"e\"]", NULL };
	struct err err = ERR_INIT;
	json_t *cmd;

	(void)state;
	assert_int_equal(config_change(root, list, &err), 0);
	cmd = json_object_get(json_object_get(root, "config"), "Cmd");
	assert_string_equal(json_string_value(json_array_get(cmd, 0)), "new");
}

static void test_one_layer_more(void **state)
{
	const struct config_step step = { "sh -c x", NULL, "why" };
	AUTO_JSON json_t *root = parent();
	AUTO_BUF struct buf form = BUF_INIT;
	AUTO_FREE char *text = NULL;
	struct err err = ERR_INIT;
	json_t *history, *last;

	(void)state;
	assert_int_equal(config_add_layer(root, 1, "22", &step, &err), 0);
	assert_null(json_object_get(root, "container"));
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(root, "rootfs"), "diff_ids")), 2);
	/* one that made no layer, one that the parent does not tell of, and the new one */
	history = json_object_get(root, "history");
	assert_int_equal(json_array_size(history), 3);
	last = json_array_get(history, 2);
	assert_string_equal(json_string_value(json_object_get(last, "created_by")), "sh -c x");
	assert_string_equal(json_string_value(json_object_get(last, "comment")), "why");
	assert_null(json_object_get(last, "author"));
	assert_string_equal(json_string_value(json_object_get(last, "created")),
			    json_string_value(json_object_get(root, "created")));
	assert_int_equal(image_document_print(root, &text, &form, &err), 0);
}

static void test_no_configuration(void **state)
{
	const struct config_step step = { 0 };
	AUTO_JSON json_t *root = json_object();
	struct err err = ERR_INIT;

	(void)state;
	assert_true(config_add_layer(root, 0, "22", &step, &err) < 0);
}

static void test_words(void **state)
{
	AUTO_STRV char **words = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		config_words_split(" a\\ b \"c 'd\" '' e\"f\"'g' $ $5", NULL, &words, &err), 0);
	assert_int_equal(strv_len(words), 6);
	assert_string_equal(words[0], "a b");
	assert_string_equal(words[1], "c 'd");
	assert_string_equal(words[2], "");
	assert_string_equal(words[3], "efg");
	assert_string_equal(words[4], "$");
	assert_string_equal(words[5], "$5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	       cmocka_unit_test(test_instructions),
		cmocka_unit_test(test_refusals),       cmocka_unit_test(test_order),
		cmocka_unit_test(test_one_layer_more), cmocka_unit_test(test_no_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
