/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_USAGE_END_H
#define CMAN_MANAGER_RUNTIME_USAGE_END_H

/*
 * What the groups of a container that has just ended still tell of it, before they are removed. 0
 * is what nobody has counted, or no limit.
 */

#include <stdbool.h>
#include <stdint.h>

#include "manager/runtime/usage.h"

struct usage_end {
	uint64_t memory_peak, memory_limit; /* bytes */
	uint64_t oom_kills;		    /* processes killed for lack of memory */
	uint64_t pids_peak, pids_limit;
	uint64_t pids_refused; /* times that the limit kept it from making a process */
	bool pressure_of_host; /* else of the container itself */
	struct usage_pressure cpu_pressure, memory_pressure, io_pressure;
};

/* Never fails: what cannot be read is not known. */
void usage_read_end(const char *cgroups_path, struct usage_end *out);

#endif
