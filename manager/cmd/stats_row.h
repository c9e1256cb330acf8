/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_STATS_ROW_H
#define CMAN_MANAGER_CMD_STATS_ROW_H

/* One container of `cman stats`: what it used when it was looked at last, and the time before. */

#include <stdbool.h>
#include <stdint.h>

#include "manager/cmd/format.h"
#include "manager/runtime/usage.h"
#include "store/containers.h"

struct store;

struct stats_sample {
	bool known;
	int64_t at_ns; /* CLOCK_MONOTONIC */
	struct usage usage;
};

struct stats_row {
	char id[CONTAINER_ID_LEN + 1];
	char *name;
	char *cgroups_path; /* NULL: not known yet */
	bool own_network;
	pid_t pid; /* 0: it does not run */
	uint64_t pid_start_time;
	bool seen; /* the record was there this time */
	struct stats_sample before, now;
};

void stats_row_release(struct stats_row *row);

/* What the record says now; a row that is new knows nothing before. */
int stats_row_take(struct stats_row *row, struct store *store,
		   const struct container_record *record, struct err *err);

/* Look at it. One that has ended, or cannot be looked at, uses nothing that is known. */
void stats_row_sample(struct stats_row *row);

extern const struct format_field stats_fields[];
void stats_row_add(const struct stats_row *row, struct format *format);

#endif
