/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_COMMANDS_H
#define CMAN_MANAGER_CMD_COMMANDS_H

/* All commands. Help, completion and dispatch read this one list. */

#include "manager/cmd/cmd.h"

/* Headings of `cman help`, for cmd.group. A command without a group is not shown. */
#define CMD_GROUP_CONTAINERS "Containers"
#define CMD_GROUP_IMAGES "Images"
#define CMD_GROUP_CMAN "About cman"

extern const struct cmd cmd_run, cmd_exec, cmd_ps, cmd_logs, cmd_stop, cmd_kill, cmd_wait, cmd_rm,
	cmd_inspect, cmd_pull, cmd_images, cmd_rmi, cmd_df, cmd_prune, cmd_version, cmd_help,
	cmd_complete;

/* In the order of `cman help`, ended by NULL. */
extern const struct cmd *const commands[];

/* What stands before the command: --root, --log-level, --version, --help. */
extern const struct cmd cmd_global;

/* The command called `name`, or NULL. */
const struct cmd *command_find(const char *name);

/* As command_find; ERR_USAGE "unknown command: NAME" with the nearest one as a hint. */
int command_get(const char *name, const struct cmd **out, struct err *err);

#endif
