/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_USAGE_PROCESSES_H
#define CMAN_MANAGER_RUNTIME_USAGE_PROCESSES_H

/* Usage summed up over processes, from proc(5). */

#include <stdbool.h>
#include <stdint.h>

#include "manager/runtime/cgroup_members.h"
#include "store/base/err.h"

struct usage_processes {
	uint64_t cpu_ns;
	uint64_t memory;
	bool memory_is_rss; /* Pss could not be had of one of them at least */
	uint64_t anonymous; /* of `memory`, what is no file's; 0: unknown */
	uint64_t threads;
	bool has_block; /* of all of them */
	uint64_t block_read, block_written;
};

/* What has ended meanwhile counts nothing. */
void usage_processes_sum(int proc_fd, const struct cgroup_members *members,
			 struct usage_processes *out);

/* Resident memory that is no file's: soon had, and no less than usage_processes_sum() finds. */
uint64_t usage_processes_anonymous(int proc_fd, const struct cgroup_members *members);

#endif
