/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_LIMITS_FILE_H
#define CMAN_MANAGER_RUNTIME_CGROUP_LIMITS_FILE_H

/* One limit into one file: what v1 and v2 have in common. */

#include <stdint.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

#define CGROUP_VALUE_MAX 64
#define CGROUP_DEFAULT_CPU_PERIOD 100000 /* microseconds, as in the kernel */

/* `what` is the limit's name, which begins the message. */
int cgroup_limit_write(int dir_fd, const char *what, const char *file, const char *value,
		       struct err *err);

/* What a failed write of `value` means; `num` is a positive errno. */
int cgroup_limit_failed(const char *what, const char *file, const char *value, int num,
			struct err *err);

/* Negative is without limit, which v1 writes "-1" and v2 "max". */
void cgroup_limit_format(char out[CGROUP_VALUE_MAX], int64_t limit, const char *unlimited);

/* The limit of processes, which v1 and v2 have alike. */
int cgroup_limit_write_pids(int dir_fd, const struct spec_resources *resources, struct err *err);

/* The list of processors, or of memory nodes: a failure tells which ones there are. */
int cgroup_limit_write_cpus(int dir_fd, const char *cpus, struct err *err);
int cgroup_limit_write_mems(int dir_fd, const char *mems, struct err *err);

/*
 * Weight of a group's block I/O, in all or for one device ("MAJOR:MINOR "), to the first of
 * `files` that is there; `values` has one for each, and NULL ends both.
 */
int cgroup_limit_write_first(int dir_fd, const char *what, const char *const *files,
			     const char *const *values, struct err *err);

/* What a person calls it. */
const char *cgroup_block_name(enum spec_block_kind kind);

#endif
