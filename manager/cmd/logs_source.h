/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_LOGS_SOURCE_H
#define CMAN_MANAGER_CMD_LOGS_SOURCE_H

/*
 * The logs of one or several containers as one stream of records, in the order of their times; and
 * what to wait for when there are no more of them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manager/cmd/logs_print.h"
#include "store/base/err.h"
#include "store/containers.h"
#include "store/logs.h"
#include "store/store.h"
#include "store/watch.h"

struct logs_source {
	struct container_record record;
	struct logs_speaker speaker;
	struct log_query query;
	struct log_reader *reader;
	int dir_fd;
	/* With several sources: records that were read, and wait for older ones of others. */
	struct log_record *waiting;
	size_t nwaiting, next;
	size_t text_bytes;
	bool exhausted; /* no more than what waits */
	bool given_up;	/* it could not be read */
};

struct logs_sources {
	struct logs_source *list;
	size_t n;
	size_t nfailed;		/* that could not be opened, or read, which was reported */
	struct log_query query; /* that all begin with */
	struct watch watch;	/* of their directories, if somebody follows */
};

#define LOGS_SOURCES_INIT            \
	{                            \
		.watch = WATCH_INIT, \
	}
#define AUTO_LOGS_SOURCES __attribute__((cleanup(logs_sources_release)))
void logs_sources_release(struct logs_sources *sources);

/*
 * Find and open them; a name twice is one source. Those that cannot be are reported, and counted in
 * `nfailed`: that is no failure of this, even where none is left.
 */
int logs_sources_open(struct store *store, char *const *names, size_t n,
		      const struct log_query *query, struct logs_sources *out, struct err *err);

/*
 * From now on the directories are watched, and not removed before what was written at the end of
 * their containers was read.
 */
int logs_sources_watch(struct store *store, struct logs_sources *sources, struct err *err);

/* Print what there is by now. */
int logs_sources_print(struct logs_sources *sources, struct logs_print *print, struct err *err);

/*
 * Wait until one of the logs has grown, or one of the containers ended, or `ms` milliseconds have
 * passed (-1: never); then look at the containers again. Returns 1 as long as one of them may say
 * more, else 0.
 */
int logs_sources_await(struct store *store, struct logs_sources *sources, int ms, struct err *err);

#endif
