/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_LIMIT_VALUES_H
#define CMAN_MANAGER_CMD_LIMIT_VALUES_H

/*
 * Values of the options that limit a container. `option` is for the message; all fail with
 * ERR_USAGE that names option and value, unless something else is said.
 */

#include <stdint.h>

#include "manager/cmd/cmd.h"
#include "manager/limits.h"

/* A size of memory: 0 (none), or what a program can start with. */
int limit_value_memory(const struct cmd_option *option, const char *value, int64_t *out,
		       struct err *err);
/* The same, or -1: all there is. */
int limit_value_swap(const struct cmd_option *option, const char *value, int64_t *out,
		     struct err *err);

/* 0 (none; -1 as well), or a number from `min` to `max`. */
int limit_value_number(const struct cmd_option *option, const char *value, int64_t min, int64_t max,
		       int64_t *out, struct err *err);

/* A decimal number of processors, such as 0.5; 0: none. *out is the quota for *period. */
int limit_value_cpus(const struct cmd_option *option, const char *value, uint64_t *period,
		     int64_t *quota, struct err *err);

/* A list such as 0-2,5 (cpuset(7)) of `what`. */
int limit_value_cpuset(const struct cmd_option *option, const char *value, const char *what,
		       struct err *err);

/*
 * DEVICE:NUMBER of a block device of the host, added to what is limited. ERR_SYS where it cannot
 * be examined.
 */
int limit_value_block(const struct cmd_option *option, const char *value, enum spec_block_kind kind,
		      struct limits *limits, struct err *err);

/* "TYPE MAJOR:MINOR ACCESS", such as "c 10:229 rwm": one rule more that allows it. */
int limit_value_device_rule(const struct cmd_option *option, const char *value,
			    struct limits *limits, struct err *err);

/* NAME=SOFT[:HARD], such as nofile=1024:4096; -1 or unlimited for no limit. */
int limit_value_ulimit(const struct cmd_option *option, const char *value, struct limits *limits,
		       struct err *err);

/* The path of a cgroup; one that is not absolute begins at the root, too. */
int limit_value_cgroup(const struct cmd_option *option, const char *value, const char **out,
		       struct err *err);

#endif
