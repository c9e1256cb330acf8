/* SPDX-License-Identifier: Apache-2.0 */
#include "store/json_memory.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/random.h>

#define PIECE_BYTES ((size_t)128 << 10)
#define ALIGNMENT ((size_t)16)

struct piece {
	struct piece *before;
	size_t size;
};

/* jansson has one allocator a process, so that its state cannot be anywhere but here. */
static struct {
	struct piece *piece; /* the newest */
	char *next;
	size_t left;
	size_t blocks; /* in use */
} arena;

static size_t align(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static int add_piece(size_t size)
{
	size_t head = align(sizeof(struct piece));
	size_t total = head + size > PIECE_BYTES ? head + size : PIECE_BYTES;
	struct piece *piece =
		mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (piece == MAP_FAILED)
		return -1;
	*piece = (struct piece){ .before = arena.piece, .size = total };
	arena.piece = piece;
	arena.next = (char *)piece + head;
	arena.left = total - head;
	return 0;
}

static void *take(size_t size)
{
	void *block;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = align(size ? size : 1);
	if (size > arena.left && add_piece(size) < 0)
		return NULL;
	block = arena.next;
	arena.next += size;
	arena.left -= size;
	arena.blocks++;
	return block;
}

static void give_back(void *block)
{
	if (!block || --arena.blocks > 0)
		return;
	while (arena.piece) {
		struct piece *piece = arena.piece;

		arena.piece = piece->before;
		munmap(piece, piece->size);
	}
	arena.left = 0;
}

void json_memory_use_arena(void)
{
	size_t seed = 0;

	/* Its hash tables are seeded at random; by itself jansson would open a device for that. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed) && seed != 0)
		json_object_seed(seed);
	json_set_alloc_funcs(take, give_back);
}
