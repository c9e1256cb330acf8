/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_LIVENESS_H
#define CMAN_MANAGER_MONITOR_LIVENESS_H

/*
 * Which containers have a monitor, at the price of a look into memory each, so that a list of
 * thousands need not open the processes of them all.
 *
 * The run-time directory has a table, `monitors`, that its processes share. A monitor has a place
 * there as long as it attends to its container: the container's ID beside the monitor's own
 * number. That number is a futex on the monitor's robust list (set_robust_list(2)): whatever ends
 * the monitor, and be it while it takes its place, the kernel takes the number away before the
 * process is gone. So nobody who died is believed to live, and nothing has to be swept: what only a
 * disk can have kept is taken over by who finds no other place.
 */

#include <stdbool.h>
#include <stddef.h>

struct container_record;
struct liveness_bucket;

/* A monitor's own place. */
struct liveness {
	struct liveness_bucket *bucket; /* NULL: it has none */
	size_t slot;
	void *map;
	size_t map_len;
};

#define LIVENESS_INIT \
	{             \
		0     \
	}

/*
 * In the monitor of container `id`, once a process: it has but one robust list. One that finds no
 * place, on a full disk or as one of ten thousand, attends to its container all the same: it is
 * only not seen this way.
 */
void liveness_hold(struct liveness *own, int run_fd, const char *id);

/* Before the next monitor may come: this process may have clients to serve yet. */
void liveness_give_up(struct liveness *own);

/* What there is to see. */
struct liveness_list {
	const struct liveness_bucket *table; /* NULL: nothing */
	bool in_memory;			     /* no disk is below it that could fail */
	char boot_id[37];
};

#define LIVENESS_LIST_INIT \
	{                  \
		0          \
	}
#define AUTO_LIVENESS_LIST __attribute__((cleanup(liveness_list_close)))
void liveness_list_open(int run_fd, struct liveness_list *out);
void liveness_list_close(struct liveness_list *list);

/* Whether the monitor that `record` names attends to it. Whatever cannot be asked is not seen. */
bool liveness_seen(const struct liveness_list *list, const struct container_record *record);

#endif
