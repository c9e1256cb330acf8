/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_CONTAINER_RECALL_H
#define CMAN_MANAGER_CMD_CONTAINER_RECALL_H

/*
 * Which running container was meant by a word the last time: a guess (recall.h), by which a process
 * can prepare to join it while the database is still being read. Whoever goes by it finds the
 * container in the database before anything is done in it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/containers.h"
#include "store/store.h"

struct container_guess {
	char id[CONTAINER_ID_LEN + 1];
	pid_t pid; /* of its process 1, with the start time */
	uint64_t start_time;
};

/* Whether there is one. */
bool container_recall(const struct store *store, const char *word, struct container_guess *out);

/* Without a place to keep it, nothing. */
void container_remember(const struct store *store, const char *word,
			const struct container_record *record);

/* Of a record that says that it runs. */
bool container_guess_is_right(const struct container_guess *guess,
			      const struct container_record *record);

#endif
