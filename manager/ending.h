/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_ENDING_H
#define CMAN_MANAGER_ENDING_H

/*
 * What a monitor saw of its container's end, kept in the record (container_record.ending) for
 * `cman why` and for whoever asks the database. JSON, with only the members that are known:
 *
 *	{"duration_ns": 1500000000,
 *	 "signal": "SIGKILL",			the payload was killed by it
 *	 "ended_with": "bird",			the container that ended, whose PID namespace it shares
 *	 "health": {"lost": 3},			results of checks that could not be recorded
 *	 "memory": {"peak": 16777216, "limit": 16777216, "oom_kills": 1},
 *	 "pids": {"peak": 12, "limit": 20, "refused": 3},
 *	 "pressure": {"of": "container",	or "host"; percent of the last ten seconds
 *	              "cpu": {"some": 1.5, "full": 0.2}, "memory": {…}, "io": {…}}}
 */

#include <stdint.h>

#include "manager/runtime/usage_end.h"
#include "store/base/err.h"
#include "store/containers.h"

struct ending {
	int64_t duration_ns;
	int signal;				 /* 0: it exited */
	char ended_with[CONTAINER_NAME_MAX + 1]; /* "": no other container */
	uint64_t health_lost;
	struct usage_end usage;
};

/* To be freed. */
int ending_print(const struct ending *ending, char **out, struct err *err);
/* ERR_INVALID where it is nothing that ending_print() made. */
int ending_parse(const char *text, struct ending *out, struct err *err);

#endif
