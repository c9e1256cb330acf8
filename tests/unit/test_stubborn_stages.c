/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages that somebody has taken over: they say what they should, and then do not end. Their parent
 * must not wait for them. This program is those stages as well.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/inflate_stage.h"
#include "image/ingest.h"
#include "image/interrupt.h"
#include "image/pack.h"
#include "image/pack_stage.h"
#include "image/ring.h"
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

/* Reads all there is, or with this limit nothing, and then stays. */
#define HASTE 1
static int stubborn_unpack(void)
{
	struct unpack_report report;
	struct ring ring = RING_INIT;
	struct err err = ERR_INIT;
	int socket = UNPACK_FD_ARCHIVE_SOCKET;
	struct unpack_job job;
	const void *block;
	size_t len = 1;

	memset(&report, 0, sizeof(report));
	if (read(UNPACK_FD_REPORT, &job, sizeof(job)) != sizeof(job))
		return 1;
	if (job.limits.bytes == HASTE)
		return write(UNPACK_FD_REPORT, &report, sizeof(report)) < 0 ? 1 : stay();
	if (ring_open_reader(&ring, UNPACK_FD_ARCHIVE, &socket, &err) < 0)
		return 1;
	while (len > 0 && ring_next(&ring, &block, &len) == 0)
		;
	return write(UNPACK_FD_REPORT, &report, sizeof(report)) < 0 ? 1 : stay();
}

static int stubborn_inflate(void)
{
	struct inflate_report report;
	struct ring out = RING_INIT;
	struct err err = ERR_INIT;
	int socket = INFLATE_FD_OUT_SOCKET;
	struct inflate_job job;
	void *slot;

	memset(&report, 0, sizeof(report));
	if (read(INFLATE_FD_REPORT, &job, sizeof(job)) != sizeof(job))
		return 1;
	if (job.bytes == HASTE)
		return stay();
	if (ring_open_writer(&out, INFLATE_FD_OUT, &socket, &err) < 0 ||
	    ring_room(&out, true, &slot) < 0)
		return 1;
	memset(slot, 'x', 3);
	if (ring_post(&out, 3) < 0 || ring_end(&out) < 0)
		return 1;
	return write(INFLATE_FD_REPORT, &report, sizeof(report)) < 0 ? 1 : stay();
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
	assert_int_equal(ingest.inflate.pid, 0);
	assert_int_equal(ingest.unpack.pid, 0);
	/* SHA-256 of "xxx": of what went through, whatever the stages say */
	assert_string_equal(ingest.diff_id,
			    "cd2eb0837c9b4c962c22d2ff8b5441b7b45805887f051d39bf133b583baf6860");
}

/* Whoever says that it is done before it has seen all has no part in what the tree is called. */
static void test_done_too_early(void **state)
{
	static const struct unpack_limits limits = { .bytes = HASTE };
	const struct scratch *scratch = *state;
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_INGEST struct ingest ingest = INGEST_INIT;
	char digest[DIGEST_HEX_LEN + 1];
	AUTO_INTERRUPT struct interrupt interrupt = INTERRUPT_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(interrupt_begin(&interrupt, &err), 0);
	assert_int_equal(store_open(scratch->path, &store, &err), 0);
	assert_int_equal(ingest_begin(&ingest, &store, &interrupt, NULL, &limits, &err), 0);
	assert_int_equal(ingest_finish(&ingest, digest, &err), -EPROTO);
	assert_string_equal(err.text, "the unpack stage did not wait for the end");
	assert_string_equal(ingest.diff_id, "");
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
					       { "cman-inflate", stubborn_inflate },
					       { "cman-pack", stubborn_pack },
					       { NULL, NULL } };
	const struct CMUnitTest tests[] = { IN_SCRATCH(test_unpack),
					    IN_SCRATCH(test_done_too_early),
					    IN_SCRATCH(test_pack) };
	const struct stage *stage = argc > 0 ? stage_find(stages, argv[0]) : NULL;

	if (stage)
		return stage->main();
	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
