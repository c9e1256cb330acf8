/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/liveness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "manager/lifecycle.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/containers.h"

#define TABLE_FILE "monitors"
#define BUCKET_BYTES 4096
#define BUCKETS 128
#define SLOTS 85
#define TABLE_BYTES ((size_t)BUCKETS * BUCKET_BYTES)
#define KEY_DIGITS 16 /* of 4 bits */

/*
 * The list itself is here and not in memory of the monitor's own: of a process that is killed for
 * want of memory, the kernel may take that away before it looks at the list. Addresses are those of
 * the process whose list it is, and mean nothing to anybody else.
 */
struct robust {
	struct robust_list_head head;
	struct robust_list entry;
};

struct place {
	_Atomic uint64_t key;
	_Atomic uint32_t owner; /* a futex: the monitor's PID, or no PID at all */
};

/* Those of the containers whose IDs lead here. Who looks for one has no need of the lists. */
struct liveness_bucket {
	struct place places[SLOTS];
	struct robust lists[SLOTS];
};
_Static_assert(sizeof(struct liveness_bucket) <= BUCKET_BYTES, "a bucket is a page");

/* Of its first digits. */
static uint64_t key_of(const char *id)
{
	uint64_t key = 0;

	for (int i = 0; i < KEY_DIGITS && id[i]; i++)
		key = key << 4 | (uint64_t)(id[i] <= '9' ? id[i] - '0' : id[i] - 'a' + 10);
	return key;
}

static size_t bucket_at(uint64_t key)
{
	return (size_t)(key % BUCKETS) * BUCKET_BYTES;
}

static bool is_in_memory(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/*
 * In memory the kernel has taken away the number of whoever does not live. A disk that fails may
 * have kept it from that, and the power that went.
 */
static bool may_live(bool in_memory, uint32_t pid)
{
	return in_memory || kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* --- a monitor's own place --- */

/*
 * A descriptor of the table whose bucket at `at` has its place on the disk: what is written through
 * a mapping cannot be refused any more, but by a signal. -errno where there is no room.
 */
static int open_table(int run_fd, size_t at)
{
	AUTO_CLOSE int fd =
		openat(run_fd, TABLE_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* Never less than it is: several may be here at the same time. */
	if (st.st_size < (off_t)TABLE_BYTES && ftruncate(fd, (off_t)TABLE_BYTES) < 0)
		return -errno;
	if (fallocate(fd, 0, (off_t)at, BUCKET_BYTES) < 0)
		return -errno;
	return STEAL_FD(fd);
}

/* No more of the table than the bucket, as each page counts for every monitor. */
static int map_bucket(int table_fd, size_t at, struct liveness *own)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t start = at / page * page;
	void *map;

	own->map_len = at - start + BUCKET_BYTES;
	map = mmap(NULL, own->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, table_fd, (off_t)start);
	if (map == MAP_FAILED)
		return -errno;
	/* What becomes the container's process has no business here. */
	(void)madvise(map, own->map_len, MADV_DONTFORK);
	own->map = map;
	own->bucket = (struct liveness_bucket *)((char *)map + (at - start));
	return 0;
}

static int set_list(struct robust_list_head *head)
{
	return syscall(SYS_set_robust_list, head, sizeof(*head)) < 0 ? -errno : 0;
}

static void set_pending(struct robust_list_head *head, struct place *place)
{
	head->list_op_pending = (struct robust_list *)&place->owner;
}

/*
 * A list of nothing but the futex that is about to be taken, or let go: whenever this process ends,
 * the kernel looks whether its number is there.
 */
static int set_list_of_pending(struct robust_list_head *head, struct place *place)
{
	*head = (struct robust_list_head){ .list.next = &head->list };
	if (place)
		set_pending(head, place);
	return set_list(head);
}

/* The list of one that is kept with the place; it says itself where its futex is. */
static int set_lasting_list(struct liveness *own)
{
	struct robust *list = &own->bucket->lists[own->slot];

	list->head.list.next = &list->entry;
	list->entry.next = &list->head.list;
	list->head.futex_offset =
		(char *)&own->bucket->places[own->slot].owner - (char *)&list->entry;
	list->head.list_op_pending = NULL;
	return set_list(&list->head);
}

/* A slot is free as long as there is no PID in its word, whatever else the kernel left there. */
static int take_free_slot(struct liveness *own, struct robust_list_head *pending, uint32_t word)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct place *place = &own->bucket->places[i];
		uint32_t was = atomic_load(&place->owner);

		if (was & FUTEX_TID_MASK)
			continue;
		set_pending(pending, place);
		if (atomic_compare_exchange_strong(&place->owner, &was, word)) {
			own->slot = i;
			return 0;
		}
	}
	return -ENOSPC;
}

/*
 * One that a disk has kept for somebody who does not live. By one process at a time: else, between
 * the look and the taking, another could take it over that was given the dead one's number. Nobody
 * waits for the lock, whose holder may be stopped.
 */
static int take_dead_slot(struct liveness *own, struct robust_list_head *pending, uint32_t word,
			  int table_fd)
{
	int rc = -ENOSPC;

	if (is_in_memory(table_fd) || flock(table_fd, LOCK_EX | LOCK_NB) < 0)
		return rc;
	for (size_t i = 0; i < SLOTS && rc < 0; i++) {
		struct place *place = &own->bucket->places[i];
		uint32_t was = atomic_load(&place->owner), pid = was & FUTEX_TID_MASK;

		if (pid && pid != (word & FUTEX_TID_MASK) && may_live(false, pid))
			continue;
		set_pending(pending, place);
		if (atomic_compare_exchange_strong(&place->owner, &was, word)) {
			own->slot = i;
			rc = 0;
		}
	}
	(void)flock(table_fd, LOCK_UN);
	return rc;
}

/*
 * The place is not seen before it is complete: neither with the last one's key, nor unwatched. To
 * the kernel it is this process's from the first.
 */
static int take_place(struct liveness *own, uint64_t key, int table_fd)
{
	const uint32_t pid = (uint32_t)getpid(), word = FUTEX_OWNER_DIED | pid;
	struct robust_list_head pending;
	struct place *place;
	int rc = set_list_of_pending(&pending, NULL);

	if (rc == 0)
		rc = take_free_slot(own, &pending, word);
	if (rc == -ENOSPC)
		rc = take_dead_slot(own, &pending, word, table_fd);
	if (rc < 0) {
		(void)set_list(NULL);
		return rc;
	}
	place = &own->bucket->places[own->slot];
	atomic_store(&place->key, key);
	rc = set_lasting_list(own);
	atomic_store(&place->owner, rc < 0 ? 0 : pid);
	if (rc < 0)
		(void)set_list(NULL);
	return rc;
}

static void unmap(struct liveness *own)
{
	if (own->map)
		(void)munmap(own->map, own->map_len);
	*own = (struct liveness)LIVENESS_INIT;
}

void liveness_hold(struct liveness *own, int run_fd, const char *id)
{
	const uint64_t key = key_of(id);
	const size_t at = bucket_at(key);
	AUTO_CLOSE int table_fd = open_table(run_fd, at);
	int rc = table_fd < 0 ? table_fd : map_bucket(table_fd, at, own);

	if (rc == 0)
		rc = take_place(own, key, table_fd);
	if (rc == 0)
		return;
	log_debug("%.12s: its monitor has no place in " TABLE_FILE ": %s", id, strerror(-rc));
	unmap(own);
}

void liveness_give_up(struct liveness *own)
{
	struct robust_list_head pending;
	struct place *place;

	if (!own->bucket)
		return;
	place = &own->bucket->places[own->slot];
	/* The lasting list is the next one's as soon as the place is. */
	(void)set_list_of_pending(&pending, place);
	atomic_store(&place->owner, 0);
	(void)set_list(NULL);
	unmap(own);
}

/* --- what others see --- */

void liveness_list_open(int run_fd, struct liveness_list *out)
{
	AUTO_CLOSE int fd = openat(run_fd, TABLE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct err ignored = ERR_INIT;
	struct stat st;
	void *map;

	*out = (struct liveness_list)LIVENESS_LIST_INIT;
	/* A table that is being made has nobody in it. */
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < (off_t)TABLE_BYTES ||
	    lifecycle_boot_id(out->boot_id, &ignored) < 0)
		return;
	map = mmap(NULL, TABLE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return;
	out->table = map;
	out->in_memory = is_in_memory(fd);
}

void liveness_list_close(struct liveness_list *list)
{
	if (list->table)
		(void)munmap((void *)list->table, TABLE_BYTES);
	*list = (struct liveness_list)LIVENESS_LIST_INIT;
}

bool liveness_seen(const struct liveness_list *list, const struct container_record *record)
{
	const uint64_t key = key_of(record->id);
	const struct liveness_bucket *bucket;

	/* What a disk has kept from before the machine was restarted says nothing. */
	if (!list->table || record->monitor_pid <= 0 || strcmp(record->boot_id, list->boot_id) != 0)
		return false;
	bucket = (const struct liveness_bucket *)((const char *)list->table + bucket_at(key));
	for (size_t i = 0; i < SLOTS; i++) {
		const struct place *place = &bucket->places[i];

		if (atomic_load_explicit(&place->key, memory_order_relaxed) == key &&
		    atomic_load_explicit(&place->owner, memory_order_acquire) ==
			    (uint32_t)record->monitor_pid)
			return may_live(list->in_memory, (uint32_t)record->monitor_pid);
	}
	return false;
}
