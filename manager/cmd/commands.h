/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_COMMANDS_H
#define CMAN_MANAGER_CMD_COMMANDS_H

/* All commands. Help, completion and dispatch read this one list. */

#include "manager/cmd/cmd.h"

/* Headings of `cman help`, for cmd.group. A command without a group is not shown. */
#define CMD_GROUP_CONTAINERS "Containers"
#define CMD_GROUP_IMAGES "Images"
#define CMD_GROUP_VOLUMES "Volumes"
#define CMD_GROUP_CMAN "About cman"

/* clang-format off */
extern const struct cmd
	cmd_attach,
	cmd_boot,
	cmd_commit,
	cmd_complete,
	cmd_copy,
	cmd_cp,
	cmd_create,
	cmd_df,
	cmd_diff,
	cmd_events,
	cmd_exec,
	cmd_export,
	cmd_fsck,
	cmd_healthcheck,
	cmd_healthcheck_run,
	cmd_help,
	cmd_history,
	cmd_image,
	cmd_image_mount,
	cmd_image_unmount,
	cmd_images,
	cmd_import,
	cmd_info,
	cmd_inspect,
	cmd_kill,
	cmd_load,
	cmd_login,
	cmd_logout,
	cmd_logs,
	cmd_pause,
	cmd_prune,
	cmd_ps,
	cmd_pull,
	cmd_push,
	cmd_rename,
	cmd_restart,
	cmd_rm,
	cmd_rmi,
	cmd_run,
	cmd_save,
	cmd_start,
	cmd_stats,
	cmd_stop,
	cmd_tag,
	cmd_top,
	cmd_unpause,
	cmd_update,
	cmd_version,
	cmd_volume,
	cmd_volume_create,
	cmd_volume_inspect,
	cmd_volume_ls,
	cmd_volume_prune,
	cmd_volume_rm,
	cmd_wait,
	cmd_why;
/* clang-format on */

/* In the order of `cman help`, ended by NULL. */
extern const struct cmd *const commands[];

/* What stands before the command: --root, --log-level, --version, --help. */
extern const struct cmd cmd_global;

/* The command called `name`, or NULL. */
const struct cmd *command_find(const char *name);

/* As command_find; ERR_USAGE "unknown command: NAME" with the nearest one as a hint. */
int command_get(const char *name, const struct cmd **out, struct err *err);

/*
 * argv[*next] is the word that *cmd was found by. Where that is a group and the next word is no
 * option, *cmd becomes the command in it, and *next its word. ERR_USAGE as above.
 */
int command_descend(const struct cmd **cmd, int argc, char **argv, int *next, struct err *err);

/* `run` of a group that was called without one of its commands. */
int command_group_run(struct app *app, int argc, char **argv, struct err *err);

/* The last word of a command's name: "mount" of "image mount". */
const char *command_word(const struct cmd *cmd);

#endif
