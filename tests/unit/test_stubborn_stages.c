/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages that somebody has taken over: they say what they should, and then do not end. Their parent
 * must not wait for them. This program is those stages as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/ingest.h"
#include "image/interrupt.h"
#include "image/pack.h"
#include "image/pack_stage.h"
#include "image/unpack_stage.h"
#include "store/base/stage.h"
#include "store/store.h"
#include "tests/unit/scratch.h"

#define TOO_LONG_S 20

static int stay(void)
{
	while (pause() < 0)
		;
	return 0;
}

static int stubborn_unpack(void)
{
	struct unpack_report report;

	memset(&report, 0, sizeof(report));
	memset(report.result.diff_id, 'a', DIGEST_HEX_LEN);
	return write(UNPACK_FD_REPORT, &report, sizeof(report)) < 0 ? 1 : stay();
}

static int stubborn_pack(void)
{
	struct pack_report report;

	memset(&report, 0, sizeof(report));
	close(PACK_FD_OUT);
	return write(PACK_FD_REPORT, &report, sizeof(report)) < 0 ? 1 : stay();
}

static void test_unpack(void **state)
{
	const struct scratch *scratch = *state;
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_INGEST struct ingest ingest = INGEST_INIT;
	char digest[DIGEST_HEX_LEN + 1];
	AUTO_INTERRUPT struct interrupt interrupt = INTERRUPT_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(interrupt_begin(&interrupt, &err), 0);
	assert_int_equal(store_open(scratch->path, &store, &err), 0);
	assert_int_equal(ingest_begin(&ingest, &store, &interrupt, NULL, NULL, &err), 0);
	assert_int_equal(ingest_finish(&ingest, digest, &err), 0);
	assert_int_equal(ingest.stage.pid, 0);
}

static void test_pack(void **state)
{
	const struct scratch *scratch = *state;
	const struct pack_request request = { .kind = PACK_TREE, .mount_fd = scratch->fd };
	struct pack pack = PACK_INIT;
	struct pack_result result;
	struct err err = ERR_INIT;
	char byte;

	assert_int_equal(pack_start(&pack, &request, &err), 0);
	assert_int_equal(read(pack.fd, &byte, 1), 0);
	assert_int_equal(pack_finish(&pack, &result, &err), 0);
	assert_int_equal(pack.stage.pid, 0);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(int argc, char **argv)
{
	static const struct stage stages[] = { { "cman-unpack", stubborn_unpack },
					       { "cman-pack", stubborn_pack },
					       { NULL, NULL } };
	const struct CMUnitTest tests[] = { IN_SCRATCH(test_unpack), IN_SCRATCH(test_pack) };
	const struct stage *stage = argc > 0 ? stage_find(stages, argv[0]) : NULL;

	if (stage)
		return stage->main();
	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
