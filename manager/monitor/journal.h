/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_JOURNAL_H
#define CMAN_MANAGER_MONITOR_JOURNAL_H

/*
 * Output on its way to the log: cut into records and written in batches. A byte is in the
 * database 100 ms after it was read at the latest, sooner when much comes. A log that
 * cannot be written never holds the container up: what is lost is counted by the writer.
 */

#include <stddef.h>
#include <stdint.h>

#include "manager/monitor/lines.h"
#include "store/base/err.h"
#include "store/logs.h"

struct journal {
	struct log_writer *writer; /* NULL: nothing is kept, or it was closed */
	struct lines lines[2];	   /* of stdout and stderr */
	int64_t touched_ns[2];	   /* CLOCK_MONOTONIC, when bytes of each came last */
	int64_t due_ns; /* CLOCK_MONOTONIC, when journal_tick is to be called; 0: never */
};

/*
 * Nothing is made on disk before the first byte. `dir_fd`: the container's directory; `max_bytes`
 * as in struct log_limits.
 */
int journal_init(struct journal *journal, int dir_fd, int64_t max_bytes, struct err *err);
/* One that takes what it is given and forgets it, for a container of which nothing is kept. */
void journal_init_none(struct journal *journal);
/*
 * Write what there is, unfinished lines too, and close. Fails where the end of the log is lost
 * and, for want of room, not even a gap record says so.
 */
int journal_close(struct journal *journal, struct err *err);
/* As journal_close(), for a container that is removed: no log is made at the last moment. */
void journal_discard(struct journal *journal);

void journal_take(struct journal *journal, enum log_stream stream, const char *bytes, size_t len);

/* How long poll(2) may wait, in milliseconds; -1: for ever. */
int journal_timeout(const struct journal *journal);
/* Write what there is, now: somebody may look. */
void journal_sync(struct journal *journal);
/* Write what is due. To be called when the timeout may have passed. */
void journal_tick(struct journal *journal);

#endif
