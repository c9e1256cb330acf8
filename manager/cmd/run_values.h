/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_RUN_VALUES_H
#define CMAN_MANAGER_CMD_RUN_VALUES_H

/*
 * Values of options that only `run` and `exec` have. `option` is for the message; all fail with
 * ERR_USAGE that names option and value, unless something else is said.
 */

#include <stdint.h>

#include "manager/cmd/cmd.h"
#include "manager/spec_build.h"

/* Append "KEY=VALUE", or "KEY" with the value it has in this process (none: nothing), to *env. */
int run_value_env(const struct cmd_option *option, const char *value, char ***env, struct err *err);

/*
 * Append such lines from the file `path`, after Docker: blank lines and those that begin with '#'
 * are skipped, values are taken as they stand, quotes included. ERR_SYS, ERR_INVALID with the line.
 */
int run_value_env_file(const struct cmd_option *option, const char *path, char ***env,
		       struct err *err);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most CONTAINER_NAME_MAX. The first is for an operand. */
int run_value_check_name(const char *name, struct err *err);
int run_value_name(const struct cmd_option *option, const char *value, struct err *err);

/* hostname(7): letters, digits, '-' and '.', at most 64. */
int run_value_hostname(const struct cmd_option *option, const char *value, struct err *err);

/* no, on-failure[:N], always, unless-stopped. *max is N, else 0. */
int run_value_restart(const struct cmd_option *option, const char *value,
		      enum container_restart *policy, int *max, struct err *err);

/* A program, a JSON array of strings, or nothing: no entrypoint. *out is one that is given. */
int run_value_entrypoint(const struct cmd_option *option, const char *value, char ***out,
			 struct err *err);

/* A path that begins with '/'. */
int run_value_absolute(const struct cmd_option *option, const char *value, struct err *err);

#endif
