/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared memory between processes that do not trust each other, and the digest of what goes through
 * it: image/ring.c, image/handover.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/handover.h"
#include "image/ring.h"
#include "store/base/sha256.h"

struct pair {
	struct ring_ends ends;
	struct ring writer;
	struct ring reader;
};

static void pair_open(struct pair *pair)
{
	struct err err = ERR_INIT;

	*pair = (struct pair){ RING_ENDS_INIT, RING_INIT, RING_INIT };
	assert_int_equal(ring_create(&pair->ends, &err), 0);
	assert_int_equal(
		ring_open_writer(&pair->writer, pair->ends.memory, &pair->ends.writer, &err), 0);
	assert_int_equal(
		ring_open_reader(&pair->reader, pair->ends.memory, &pair->ends.reader, &err), 0);
}

static void pair_close(struct pair *pair)
{
	ring_close(&pair->writer);
	ring_close(&pair->reader);
	ring_ends_close(&pair->ends);
}

static void put(struct ring *ring, const char *text)
{
	void *slot;

	assert_int_equal(ring_room(ring, true, &slot), 0);
	memcpy(slot, text, strlen(text));
	assert_int_equal(ring_post(ring, strlen(text)), 0);
}

static void assert_next(struct ring *ring, const char *text)
{
	const void *block;
	size_t len;

	assert_int_equal(ring_next(ring, &block, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(block, text, len);
}

static void test_order_and_room(void **state)
{
	struct pair pair;
	const void *block;
	size_t len = 1;
	void *slot;

	(void)state;
	pair_open(&pair);
	for (unsigned i = 0; i < RING_SLOTS; i++)
		put(&pair.writer, (const char[]){ (char)('a' + i), '\0' });
	assert_int_equal(ring_room(&pair.writer, false, &slot), -EAGAIN);
	for (unsigned i = 0; i < RING_SLOTS; i++)
		assert_next(&pair.reader, (const char[]){ (char)('a' + i), '\0' });
	/* The last one is still held. */
	put(&pair.writer, "again");
	put(&pair.writer, "and");
	put(&pair.writer, "again");
	assert_int_equal(ring_room(&pair.writer, false, &slot), -EAGAIN);
	ring_release(&pair.reader);
	assert_int_equal(ring_room(&pair.writer, false, &slot), 0);
	assert_next(&pair.reader, "again");
	assert_next(&pair.reader, "and");
	assert_next(&pair.reader, "again");
	assert_int_equal(ring_end(&pair.writer), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ring_next(&pair.reader, &block, &len), 0);
		assert_int_equal(len, 0);
	}
	pair_close(&pair);
}

static void test_as_read(void **state)
{
	struct pair pair;
	char bytes[8];

	(void)state;
	pair_open(&pair);
	put(&pair.writer, "some");
	put(&pair.writer, "more");
	ring_end(&pair.writer);
	assert_int_equal(ring_read(&pair.reader, bytes, 3), 3);
	assert_int_equal(ring_read(&pair.reader, bytes + 3, 5), 1);
	assert_int_equal(ring_read(&pair.reader, bytes + 4, 4), 4);
	assert_memory_equal(bytes, "somemore", 8);
	assert_int_equal(ring_read(&pair.reader, bytes, 8), 0);
	assert_int_equal(ring_read(&pair.reader, bytes, 8), 0);
	pair_close(&pair);
}

/* That no more comes is not the end. */
static void test_other_side_gone(void **state)
{
	struct pair pair;
	const void *block;
	size_t len;

	(void)state;
	pair_open(&pair);
	put(&pair.writer, "a");
	ring_close(&pair.writer);
	assert_next(&pair.reader, "a");
	assert_int_equal(ring_next(&pair.reader, &block, &len), -EPIPE);
	pair_close(&pair);
	pair_open(&pair);
	ring_close(&pair.reader);
	assert_int_equal(ring_post(&pair.writer, 1), -EPIPE);
	pair_close(&pair);
}

/* Who has ended with something unread, that it may write again, has said all that it said. */
static void test_last_words(void **state)
{
	struct pair pair;
	const void *block;
	size_t len;

	(void)state;
	pair_open(&pair);
	put(&pair.writer, "a");
	put(&pair.writer, "b");
	assert_next(&pair.reader, "a");
	ring_release(&pair.reader);
	assert_int_equal(ring_end(&pair.writer), 0);
	ring_close(&pair.writer);
	assert_next(&pair.reader, "b");
	assert_int_equal(ring_next(&pair.reader, &block, &len), 0);
	assert_int_equal(len, 0);
	pair_close(&pair);
}

static void test_nonsense(void **state)
{
	static const uint32_t too_long = RING_SLOT_SIZE + 1;
	struct pair pair;
	const void *block;
	size_t len;

	(void)state;
	pair_open(&pair);
	assert_int_equal(send(pair.writer.socket, &too_long, sizeof(too_long), 0),
			 sizeof(too_long));
	assert_int_equal(ring_next(&pair.reader, &block, &len), -EPROTO);
	assert_int_equal(send(pair.writer.socket, "longer", 6, 0), 6);
	assert_int_equal(ring_next(&pair.reader, &block, &len), -EPROTO);
	pair_close(&pair);
}

static void *map(int memory, int protection)
{
	return mmap(NULL, RING_SLOT_SIZE, protection, MAP_SHARED, memory, 0);
}

/* Nobody can take memory away from under the other; and once sealed, only one can write. */
static void test_sealed(void **state)
{
	struct err err = ERR_INIT;
	struct pair pair;
	void *mapped;

	(void)state;
	pair_open(&pair);
	assert_int_equal(ftruncate(pair.ends.memory, 0), -1);
	assert_int_equal(ring_seal(pair.ends.memory, &err), 0);
	assert_ptr_equal(map(pair.ends.memory, PROT_READ | PROT_WRITE), MAP_FAILED);
	assert_int_equal(pwrite(pair.ends.memory, "x", 1, 0), -1);
	mapped = map(pair.ends.memory, PROT_READ);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	assert_int_equal(mprotect(mapped, RING_SLOT_SIZE, PROT_READ | PROT_WRITE), -1);
	munmap(mapped, RING_SLOT_SIZE);
	put(&pair.writer, "still");
	assert_next(&pair.reader, "still");
	pair_close(&pair);
}

static void hand_over_open(struct handover *handover, struct pair *in, struct pair *out)
{
	struct err err = ERR_INIT;

	pair_open(in);
	pair_open(out);
	*handover = (struct handover)HANDOVER_INIT;
	handover->in = in->reader;
	handover->out = out->writer;
	in->reader = out->writer = (struct ring)RING_INIT;
	assert_int_equal(handover_start(handover, 100, &err), 0);
}

/* Who unpacks sees what was digested, though who decompressed changes its mind. */
static void test_what_is_digested_is_what_is_seen(void **state)
{
	struct handover handover;
	struct pair in, out;
	const void *block;
	char wanted[65];
	size_t len;
	void *slot;

	(void)state;
	hand_over_open(&handover, &in, &out);
	assert_int_equal(ring_room(&in.writer, true, &slot), 0);
	memcpy(slot, "evil", 4);
	assert_int_equal(ring_post(&in.writer, 4), 0);
	assert_int_equal(ring_next(&out.reader, &block, &len), 0);
	memcpy(slot, "good", 4);
	assert_int_equal(len, 4);
	assert_memory_equal(block, "evil", 4);
	assert_int_equal(ring_end(&in.writer), 0);
	assert_int_equal(ring_next(&out.reader, &block, &len), 0);
	assert_int_equal(len, 0);
	handover_join(&handover);
	assert_true(handover.whole);
	assert_int_equal(sha256_hex("evil", 4, wanted), 0);
	assert_string_equal(handover.diff_id, wanted);
	handover_release(&handover);
	pair_close(&in);
	pair_close(&out);
}

static void test_broken_off(void **state)
{
	struct handover handover;
	struct pair in, out;
	const void *block;
	size_t len;

	(void)state;
	hand_over_open(&handover, &in, &out);
	put(&in.writer, "some");
	ring_close(&in.writer);
	assert_next(&out.reader, "some");
	assert_int_equal(ring_next(&out.reader, &block, &len), -EPIPE);
	handover_join(&handover);
	assert_false(handover.whole);
	assert_string_equal(handover.diff_id, "");
	handover_release(&handover);
	pair_close(&in);
	pair_close(&out);
}

/* It refuses by itself what a stage that was taken over would give without end. */
static void test_too_much(void **state)
{
	struct handover handover;
	struct pair in, out;
	const void *block;
	size_t len;

	(void)state;
	hand_over_open(&handover, &in, &out);
	put(&in.writer, "................................................................");
	put(&in.writer, "................................................................");
	assert_int_equal(ring_next(&out.reader, &block, &len), 0);
	assert_int_equal(ring_next(&out.reader, &block, &len), -EPIPE);
	handover_join(&handover);
	assert_false(handover.whole);
	handover_release(&handover);
	pair_close(&in);
	pair_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_room),
		cmocka_unit_test(test_as_read),
		cmocka_unit_test(test_other_side_gone),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_what_is_digested_is_what_is_seen),
		cmocka_unit_test(test_broken_off),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
