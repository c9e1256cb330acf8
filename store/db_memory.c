/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_memory.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "store/base/sanitized.h"

/* Only pages that were used count as memory of the process. */
#define ARENA_BYTES (1 << 20)
#define PAGE_BYTES 4096

/* Sizes 16, 24, 32, 48, 64, 96 ... up to 64 KiB: two for each power of two. */
#define SMALLEST 16
#define CLASSES 25

/* Before each block. As large as the alignment, which keeps that of what follows. */
struct header {
	int32_t size; /* usable bytes */
	int32_t class;
	int64_t unused;
};

/*
 * SQLite has one allocator a process, so that its state cannot be anywhere but here. It is used by
 * one thread: no program of this project has another that touches a database.
 */
static struct {
	_Alignas(PAGE_BYTES) char bytes[ARENA_BYTES];
	size_t used;
	size_t blocks;	     /* in it, not released yet */
	void *free[CLASSES]; /* lists, linked through the first bytes of each block */
} arena;

static int class_size(int class)
{
	int power = SMALLEST << (class / 2);

	return class % 2 ? power + power / 2 : power;
}

/* CLASSES where it is too large for any. */
static int class_of(int size)
{
	int class = 0;

	while (class < CLASSES && class_size(class) < size)
		class ++;
	return class;
}

static struct header *header_of(void *block)
{
	return (struct header *)block - 1;
}

static bool in_arena(const void *block)
{
	uintptr_t start = (uintptr_t)arena.bytes;

	return (uintptr_t)block >= start && (uintptr_t)block < start + ARENA_BYTES;
}

static void *allocate(int size)
{
	int class = class_of(size);
	struct header *header;

	if (class < CLASSES) {
		void *block = arena.free[class];

		if (block) {
			arena.blocks++;
			memcpy(&arena.free[class], block, sizeof(void *));
			return block;
		}
		size = class_size(class);
	}
	if (class < CLASSES && sizeof(*header) + (size_t)size <= ARENA_BYTES - arena.used) {
		header = (struct header *)(arena.bytes + arena.used);
		arena.blocks++;
		/* Odd sizes of the classes are multiples of 8 only. */
		arena.used += (sizeof(*header) + (size_t)size + 15) & ~(size_t)15;
	} else {
		header = malloc(sizeof(*header) + (size_t)size);
	}
	if (!header)
		return NULL;
	header->size = size;
	header->class = class;
	return header + 1;
}

static void release(void *block)
{
	int class;

	if (!block)
		return;
	class = header_of(block)->class;
	if (!in_arena(block)) {
		free(header_of(block));
		return;
	}
	arena.blocks--;
	memcpy(block, &arena.free[class], sizeof(void *));
	arena.free[class] = block;
}

static int usable_size(void *block)
{
	return block ? header_of(block)->size : 0;
}

static void *reallocate(void *block, int size)
{
	void *moved;

	if (usable_size(block) >= size)
		return block;
	moved = allocate(size);
	if (!moved)
		return NULL;
	memcpy(moved, block, (size_t)usable_size(block));
	release(block);
	return moved;
}

static int round_up(int size)
{
	int class = class_of(size);

	return class < CLASSES ? class_size(class) : (size + 7) & ~7;
}

static int start(void *data)
{
	(void)data;
	return SQLITE_OK;
}

static void stop(void *data)
{
	(void)data;
}

void db_memory_configure(void)
{
	static const sqlite3_mem_methods methods = {
		.xMalloc = allocate,
		.xFree = release,
		.xRealloc = reallocate,
		.xSize = usable_size,
		.xRoundup = round_up,
		.xInit = start,
		.xShutdown = stop,
	};

	/* The sanitizer is to see every block by itself. */
	if (!SANITIZED)
		(void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
	/* Both would reserve, and touch, tens of KiB that our short statements never use. */
	(void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 512, 24);
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

void db_memory_keep_from_children(void)
{
	if (!SANITIZED)
		(void)madvise(arena.bytes, sizeof(arena.bytes), MADV_DONTFORK);
}

void db_memory_give_back(void)
{
	if (arena.blocks > 0 || arena.used == 0)
		return;
	/* What was there is zero or as it was, should the kernel not take it: both are unused. */
	(void)madvise(arena.bytes, arena.used, MADV_DONTNEED);
	memset(arena.free, 0, sizeof(arena.free));
	arena.used = 0;
}
