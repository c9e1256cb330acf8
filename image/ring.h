/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_RING_H
#define CMAN_IMAGE_RING_H

/*
 * Bytes from one process to another through shared memory, a slot at a time: a pipe copies each
 * byte into the kernel and out again and allocates a page for every 4 KiB, which for the content
 * of an image costs as much time as to decompress it. A socket between the two tells of slots that
 * were filled and of those that are free again. memfd_create(2), unix(7).
 *
 * Neither side trusts the other. The memory can neither shrink nor grow, so that no access faults.
 * The writer may change a slot while it is read: whoever checks what is in one copies it first.
 * After ring_seal() only the writer's own mapping can be written to, whoever else gets at the
 * descriptor.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "store/base/err.h"

#define RING_SLOT_SIZE (128u << 10)
#define RING_SLOTS 4u

struct ring {
	char *memory; /* RING_SLOTS of RING_SLOT_SIZE; NULL: not open */
	int socket;
	unsigned count; /* slots filled, or taken, so far */
	unsigned free;	/* of the writer: slots that it may fill */
	bool held;	/* by the reader: the slot it was given last */
	/* ring_read(): what is left of that slot */
	const char *at;
	size_t left;
	bool ended;
};

#define RING_INIT             \
	{                     \
		.socket = -1, \
	}
#define AUTO_RING __attribute__((cleanup(ring_close)))

/* The other side sees that no more comes, or that nobody reads. */
void ring_close(struct ring *ring);

/* What the two sides get: the memory for both, and a socket for each. */
struct ring_ends {
	int memory;
	int writer;
	int reader;
};

#define RING_ENDS_INIT                                   \
	{                                                \
		.memory = -1, .writer = -1, .reader = -1 \
	}
#define AUTO_RING_ENDS __attribute__((cleanup(ring_ends_close)))
void ring_ends_close(struct ring_ends *ends);
int ring_create(struct ring_ends *out, struct err *err);

/* One side. `memory` stays the caller's, `*socket` becomes the ring's and -1. */
int ring_open_writer(struct ring *ring, int memory, int *socket, struct err *err);
int ring_open_reader(struct ring *ring, int memory, int *socket, struct err *err);

/* The writer's, once it has the ring open: nobody can map the memory for writing any more. */
int ring_seal(int memory, struct err *err);

/*
 * Below, a negative result is -EAGAIN (without `wait`: try again when ring->socket can be read),
 * -EPIPE where the other side is gone, or another errno.
 */

/* A free slot to fill. */
int ring_room(struct ring *ring, bool wait, void **slot);
/* The first `len` bytes of it (at least 1) are for the reader. */
int ring_post(struct ring *ring, size_t len);
/* That was all. Without it the reader knows that something is missing. */
int ring_end(struct ring *ring);

/*
 * The next slot, the reader's until ring_release() or the next call; *len 0 for the end. Waits;
 * ring->socket can be read when there is one. -EPROTO for what no writer says.
 */
int ring_next(struct ring *ring, const void **block, size_t *len);
void ring_release(struct ring *ring);

/* As read(2): up to `room` bytes, 0 at the end, or negative. */
ssize_t ring_read(struct ring *ring, void *buf, size_t room);

#endif
