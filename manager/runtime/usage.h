/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_USAGE_H
#define CMAN_MANAGER_RUNTIME_USAGE_H

/*
 * What a running container uses. Each figure comes from the controller that counts it, cgroup2's or
 * v1's, where the container has a group of it. Processor time and pressure are counted by every
 * cgroup2 group, without a controller. What nobody counts is summed up over its processes, as
 * /proc has them now, with what they have inherited from children that they have waited for.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"

enum usage_memory {
	USAGE_MEMORY_GROUP, /* what the controller charges, less file cache that is not in use */
	USAGE_MEMORY_PSS,   /* resident, shared pages in equal parts (proc_pid_smaps(5)) */
	USAGE_MEMORY_RSS,   /* resident, shared pages in full for each: an older kernel */
};

/* Parts of the last ten seconds in which some, or all, waited, in percent; psi.rst. */
struct usage_pressure {
	bool known;
	double some, full;
};

struct usage {
	uint64_t cpu_ns;
	uint64_t throttled; /* periods in which a limit of processor time stopped it */
	enum usage_memory memory_source;
	uint64_t memory;
	uint64_t memory_cache; /* file cache not in use, left out of `memory`; 0: unknown */
	uint64_t memory_limit; /* the lowest of its group and those above; 0: none */
	uint64_t pids;	       /* threads */
	uint64_t pids_limit;   /* 0: none */
	bool has_block;
	uint64_t block_read, block_written; /* bytes */
	bool has_network;
	uint64_t received, sent; /* bytes, over all interfaces but the loopback */
	struct usage_pressure cpu_pressure, memory_pressure, io_pressure;
};

/*
 * `init` is the container's first process, held by a pidfd so that its number stays its own;
 * own_network: it has a network namespace. What passes there is shown as the container's, unless it
 * has joined that of the caller; as that of every other container in there, too.
 * ERR_STATE when it has ended.
 */
int usage_read(const char *cgroups_path, pid_t init, bool own_network, struct usage *out,
	       struct err *err);

#endif
