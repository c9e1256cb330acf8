/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HANDOVER_H
#define CMAN_IMAGE_HANDOVER_H

/*
 * The content of a layer on its way from the stage that decompresses to the stage that makes files,
 * and its digest, the diff ID.
 *
 * This is where a tree gets its name, and why the name can be trusted. Both stages read bytes of
 * strangers, and an archive that takes one of them over must not make its files pass for a layer
 * of another image, which later images with that layer would share. So neither of them is asked
 * what the digest is. Each block is copied out of the reach of cman-inflate, digested here, in a
 * process that looks at no byte of it, and only then shown to cman-unpack, in memory that it can
 * only read. Whoever takes over cman-inflate chooses the bytes, and thereby the digest; whoever
 * takes over cman-unpack has done so by bytes that are in the digest: with either, what comes of it
 * is called by a digest that no other layer has.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/ring.h"
#include "image/verify.h"
#include "store/base/err.h"

struct handover {
	struct ring in;
	struct ring out;
	int64_t limit; /* bytes */
	pthread_t thread;
	bool running;
	/* The thread's, until handover_join(): */
	struct verify digest;
	bool whole;
	char diff_id[DIGEST_HEX_LEN + 1];
	struct err err; /* what is wrong here, not with a stage; kind ERR_NONE: nothing is */
};

#define HANDOVER_INIT                                               \
	{                                                           \
		.in = RING_INIT, .out = RING_INIT, .err = ERR_INIT, \
	}

/*
 * Begin, in a thread; `in` and `out` are open. More than `limit` bytes are refused: a stage that
 * was not taken over has refused them before.
 */
int handover_start(struct handover *handover, int64_t limit, struct err *err);

/*
 * Wait for the thread, which ends when one of the stages does; those that may not end by themselves
 * are killed before. *diff_id stays as it is unless the whole content has gone through. Harmless
 * when it was not started.
 */
void handover_join(struct handover *handover);

/* After handover_join(): close what is open. */
void handover_release(struct handover *handover);

#endif
