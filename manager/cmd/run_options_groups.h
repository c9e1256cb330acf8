/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_RUN_OPTIONS_GROUPS_H
#define CMAN_MANAGER_CMD_RUN_OPTIONS_GROUPS_H

/*
 * The options of `cman run` and `cman create`, in groups (cmd.h), a file each. They put what they
 * take into a struct run_options. `cman update` has the limits, too.
 */

#include "manager/cmd/cmd.h"

extern const struct option_group run_options_container;
extern const struct option_group run_options_process;
extern const struct option_group run_options_files;
extern const struct option_group run_options_namespaces;
extern const struct option_group run_options_security;
extern const struct option_group run_options_limits;
extern const struct option_group run_options_cgroup;
extern const struct option_group run_options_life;
extern const struct option_group run_options_health;

/* All of them, in the order of the help; ended by NULL. */
extern const struct option_group *const run_option_groups[];

/* Those that run and create do not have. */
extern const struct cmd_absent run_options_absent[];

#endif
