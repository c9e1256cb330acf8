/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_AHEAD_H
#define CMAN_IMAGE_AHEAD_H

/*
 * Decompression runs ahead in a thread, by a bounded number of blocks, while the caller makes
 * files of what it was given before: two processors are busy, and a pipe is not copied through.
 * pthreads(7).
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "image/inflate.h"
#include "store/base/err.h"

#define AHEAD_SLOTS 4

#define AHEAD_SLOT_SIZE (256u << 10)

struct ahead {
	struct inflate *inflate; /* the thread's, until ahead_next() has told of the end */
	char *slots;		 /* AHEAD_SLOTS of AHEAD_SLOT_SIZE */
	size_t lens[AHEAD_SLOTS];
	unsigned filled; /* how many slots the thread has filled so far */
	unsigned taken;	 /* how many of them the caller has been given */
	bool running;
	bool ended; /* the thread fills no more: because of the end, or `err` */
	bool stop;
	int stop_fd; /* makes a read of the input end */
	struct err err;
	pthread_t thread;
	pthread_mutex_t lock; /* of all that is above but the slots' bytes */
	pthread_cond_t changed;
};

/* Begin; `inflate` is opened and not yet read from. */
int ahead_start(struct ahead *ahead, struct inflate *inflate, struct err *err);

/* The next block, valid until the next call; *len 0 at the end. Fails as inflate_next() does. */
int ahead_next(struct ahead *ahead, const void **block, size_t *len, struct err *err);

/* End the thread wherever it is. Harmless when it was not started. */
void ahead_release(struct ahead *ahead);

#endif
