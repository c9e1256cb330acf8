/* SPDX-License-Identifier: Apache-2.0 */
#include "image/handover.h"

#include <errno.h>
#include <string.h>

#define STACK_BYTES (128u << 10)
#define PIECE_SIZE (16u << 10) /* is still in the cache when it is digested */

/* Digested is the copy: what it was copied from may be another one by now. */
static int take_over(struct handover *handover, const char *from, char *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		size_t n = len - done < PIECE_SIZE ? len - done : PIECE_SIZE;
		int r;

		memcpy(to + done, from + done, n);
		r = verify_update(&handover->digest, to + done, n, &handover->err);
		if (r < 0)
			return r;
		done += n;
	}
	return 0;
}

/* 1: there is more; 0: that was all; negative: a stage is gone, or handover->err tells. */
static int pass_on(struct handover *handover)
{
	const void *block;
	void *slot;
	size_t len;
	int r = ring_next(&handover->in, &block, &len);

	if (r < 0)
		return r;
	if (len == 0) {
		r = verify_finish(&handover->digest, handover->diff_id, &handover->err);
		handover->whole = r == 0;
		return r < 0 ? r : ring_end(&handover->out);
	}
	if (handover->digest.size + (int64_t)len > handover->limit)
		return -EFBIG;
	r = ring_room(&handover->out, true, &slot);
	if (r == 0)
		r = take_over(handover, block, slot, len);
	if (r == 0)
		r = ring_post(&handover->out, len);
	return r < 0 ? r : 1;
}

static void *run(void *data)
{
	struct handover *handover = data;

	while (pass_on(handover) > 0)
		;
	/* Both see that it is over. */
	ring_close(&handover->in);
	ring_close(&handover->out);
	return NULL;
}

int handover_start(struct handover *handover, int64_t limit, struct err *err)
{
	pthread_attr_t attr;
	int num, r = verify_start(&handover->digest, err);

	if (r < 0)
		return r;
	handover->limit = limit;
	num = pthread_attr_init(&attr);
	if (num == 0) {
		num = pthread_attr_setstacksize(&attr, STACK_BYTES);
		if (num == 0)
			num = pthread_create(&handover->thread, &attr, run, handover);
		pthread_attr_destroy(&attr);
	}
	handover->running = num == 0;
	return num ? err_sys(err, num, "cannot start a thread") : 0;
}

void handover_join(struct handover *handover)
{
	if (handover->running)
		pthread_join(handover->thread, NULL);
	handover->running = false;
}

void handover_release(struct handover *handover)
{
	handover_join(handover);
	ring_close(&handover->in);
	ring_close(&handover->out);
	verify_release(&handover->digest);
	*handover = (struct handover)HANDOVER_INIT;
}
