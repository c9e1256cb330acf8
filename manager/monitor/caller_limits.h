/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_CALLER_LIMITS_H
#define CMAN_MANAGER_MONITOR_CALLER_LIMITS_H

/*
 * The resource limits that somebody has whose container is started (`ulimit`). They are the
 * payload's, too, where nothing else was asked for; but the monitor is to live as long as that,
 * and to record all that it says. setrlimit(2).
 */

#include <stdbool.h>
#include <sys/resource.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

#define CALLER_LIMITS_LIFTED 2

struct caller_limits {
	struct rlimit before[CALLER_LIMITS_LIFTED]; /* where are_lifted */
	bool are_lifted;
};

/*
 * Whether a client, and its monitor with the same limits, may have as many descriptors open as a
 * start takes, and write what a container takes. Before anything is made: later it could neither
 * be finished nor removed. -EMFILE, -EFBIG.
 */
int caller_limits_check(struct err *err);

/*
 * From now on this process may write files of any size and use the processor for any time, or as
 * much of both as the hard limits leave to one without CAP_SYS_RESOURCE.
 */
void caller_limits_lift(struct caller_limits *limits);

/*
 * As they were before, for the process of another start, where it is given no others. Put back on
 * this process, that of the processor would count all that it has used until now.
 */
int caller_limits_pass_on(const struct caller_limits *limits, struct spec_process *process,
			  struct err *err);

#endif
