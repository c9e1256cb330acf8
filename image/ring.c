/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/seqpacket.h"

#define MEMORY_SIZE ((size_t)RING_SLOTS * RING_SLOT_SIZE)

/* Since Linux 5.1; absent from older headers. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

void ring_close(struct ring *ring)
{
	if (ring->memory)
		munmap(ring->memory, MEMORY_SIZE);
	cleanup_close(&ring->socket);
	*ring = (struct ring)RING_INIT;
}

void ring_ends_close(struct ring_ends *ends)
{
	cleanup_close(&ends->memory);
	cleanup_close(&ends->writer);
	cleanup_close(&ends->reader);
	*ends = (struct ring_ends)RING_ENDS_INIT;
}

int ring_create(struct ring_ends *out, struct err *err)
{
	AUTO_RING_ENDS struct ring_ends ends = RING_ENDS_INIT;
	int pair[2], r;

	ends.memory = memfd_create("cman-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ends.memory < 0 || ftruncate(ends.memory, (off_t)MEMORY_SIZE) < 0 ||
	    fcntl(ends.memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return err_sys(err, errno, "cannot make memory to share with a stage");
	r = seqpacket_pair(pair, err);
	if (r < 0)
		return r;
	ends.writer = pair[0];
	ends.reader = pair[1];
	*out = ends;
	ends = (struct ring_ends)RING_ENDS_INIT;
	return 0;
}

static int open_side(struct ring *ring, int memory, int *socket, int protection, struct err *err)
{
	void *mapped = mmap(NULL, MEMORY_SIZE, protection, MAP_SHARED, memory, 0);

	if (mapped == MAP_FAILED)
		return err_sys(err, errno, "cannot map the memory shared with a stage");
	*ring = (struct ring){ .memory = mapped, .socket = STEAL_FD(*socket), .free = RING_SLOTS };
	return 0;
}

int ring_open_writer(struct ring *ring, int memory, int *socket, struct err *err)
{
	return open_side(ring, memory, socket, PROT_READ | PROT_WRITE, err);
}

int ring_open_reader(struct ring *ring, int memory, int *socket, struct err *err)
{
	return open_side(ring, memory, socket, PROT_READ, err);
}

int ring_seal(int memory, struct err *err)
{
	if (fcntl(memory, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		return err_sys(err, errno, "cannot seal the memory shared with a stage");
	return 0;
}

static char *slot_at(const struct ring *ring, unsigned index)
{
	return ring->memory + (size_t)(index % RING_SLOTS) * RING_SLOT_SIZE;
}

/* --- packets --- */

static int say(int socket, const void *packet, size_t len)
{
	for (;;) {
		if (send(socket, packet, len, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return errno == ECONNRESET ? -EPIPE : -errno;
	}
}

/* Returns how long the packet is, which may be more than `len`. */
static ssize_t hear(int socket, void *packet, size_t len, bool wait)
{
	for (;;) {
		ssize_t n = recv(socket, packet, len, MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT));

		if (n > 0)
			return n;
		if (n == 0)
			return -EPIPE;
		/* Reset: it has ended with something unread. What it said before comes next. */
		if (errno != EINTR && errno != ECONNRESET)
			return -errno;
	}
}

/* --- the writer --- */

int ring_room(struct ring *ring, bool wait, void **slot)
{
	while (ring->free == 0) {
		char credit;
		ssize_t n = hear(ring->socket, &credit, sizeof(credit), wait);

		if (n < 0)
			return (int)n;
		ring->free++;
	}
	*slot = slot_at(ring, ring->count);
	return 0;
}

int ring_post(struct ring *ring, size_t len)
{
	uint32_t filled = (uint32_t)len;

	ring->count++;
	ring->free--;
	return say(ring->socket, &filled, sizeof(filled));
}

int ring_end(struct ring *ring)
{
	static const uint32_t nothing = 0;

	return say(ring->socket, &nothing, sizeof(nothing));
}

/* --- the reader --- */

void ring_release(struct ring *ring)
{
	/* That nobody waits for it any more is seen when there is no next one. */
	if (ring->held)
		(void)say(ring->socket, "", 1);
	ring->held = false;
}

int ring_next(struct ring *ring, const void **block, size_t *len)
{
	uint32_t filled;
	ssize_t n;

	ring_release(ring);
	*block = NULL;
	*len = 0;
	if (ring->ended)
		return 0;
	n = hear(ring->socket, &filled, sizeof(filled), true);
	if (n < 0)
		return (int)n;
	if (n != sizeof(filled) || filled > RING_SLOT_SIZE)
		return -EPROTO;
	ring->ended = filled == 0;
	if (ring->ended)
		return 0;
	*block = slot_at(ring, ring->count++);
	*len = filled;
	ring->held = true;
	return 0;
}

ssize_t ring_read(struct ring *ring, void *buf, size_t room)
{
	size_t n;

	if (ring->left == 0) {
		const void *block;
		int r = ring_next(ring, &block, &ring->left);

		if (r < 0)
			return r;
		ring->at = block;
	}
	n = ring->left < room ? ring->left : room;
	if (n > 0)
		memcpy(buf, ring->at, n);
	ring->at += n;
	ring->left -= n;
	return (ssize_t)n;
}
