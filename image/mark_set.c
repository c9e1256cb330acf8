/* SPDX-License-Identifier: Apache-2.0 */
#include "image/mark_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/walk.h"

#define FIRST_SIZE 64

void mark_set_release(struct mark_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->entries[i].path);
	free(set->entries);
	free(set->table);
	*set = (struct mark_set)MARK_SET_INIT;
}

/* FNV-1a. Names made to collide cost their own unpacking time, within the limit of marks. */
static uint64_t hash_of(const char *path)
{
	uint64_t hash = 14695981039346656037u;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 1099511628211u;
	return hash ^ hash >> 32;
}

/* Where `path` is in the table, or the free place where it would be. */
static size_t place_of(const struct mark_set *set, const char *path, uint64_t hash)
{
	size_t at = hash & (set->table_size - 1);

	for (; set->table[at]; at = (at + 1) & (set->table_size - 1)) {
		const struct mark_entry *entry = &set->entries[set->table[at] - 1];

		if (entry->hash == hash && strcmp(entry->path, path) == 0)
			break;
	}
	return at;
}

static struct mark_entry *find(const struct mark_set *set, const char *path)
{
	size_t at;

	if (set->count == 0)
		return NULL;
	at = place_of(set, path, hash_of(path));
	return set->table[at] ? &set->entries[set->table[at] - 1] : NULL;
}

/* Twice the room; the table is never more than half full. */
static int grow(struct mark_set *set)
{
	size_t room = set->room ? set->room * 2 : FIRST_SIZE;
	uint32_t *table = calloc(room * 2, sizeof(*table));
	struct mark_entry *entries = reallocarray(set->entries, room, sizeof(*entries));

	if (entries)
		set->entries = entries;
	if (!entries || !table) {
		free(table);
		return -ENOMEM;
	}
	free(set->table);
	set->table = table;
	set->table_size = room * 2;
	set->room = room;
	for (size_t i = 0; i < set->count; i++)
		table[place_of(set, entries[i].path, entries[i].hash)] = (uint32_t)i + 1;
	return 0;
}

int mark_set_add(struct mark_set *set, const char *path, enum mark_kind kind)
{
	struct mark_entry *entry = find(set, path);

	if (!entry) {
		uint64_t hash = hash_of(path);
		char *copy;

		if (set->count == MARKS_MAX_COUNT)
			return -E2BIG;
		if (set->count == set->room && grow(set) < 0)
			return -ENOMEM;
		copy = strdup(path);
		if (!copy)
			return -ENOMEM;
		entry = &set->entries[set->count++];
		*entry = (struct mark_entry){ .path = copy, .hash = hash };
		set->table[place_of(set, path, hash)] = (uint32_t)set->count;
	}
	if (kind == MARK_OPAQUE)
		entry->opaque = true;
	else
		entry->implicit = true;
	return 0;
}

void mark_set_drop(struct mark_set *set, const char *path, enum mark_kind kind)
{
	struct mark_entry *entry = find(set, path);

	if (entry && kind == MARK_OPAQUE)
		entry->opaque = false;
	else if (entry)
		entry->implicit = false;
}

static int by_walk(const void *a, const void *b)
{
	return walk_compare(((const struct mark_entry *)a)->path,
			    ((const struct mark_entry *)b)->path);
}

void mark_set_sort(struct mark_set *set)
{
	if (set->count > 0)
		qsort(set->entries, set->count, sizeof(*set->entries), by_walk);
}
