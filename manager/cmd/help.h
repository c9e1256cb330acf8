/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_HELP_H
#define CMAN_MANAGER_CMD_HELP_H

/* Help, made from the command table. */

#include "manager/cmd/cmd.h"
#include "store/base/buf.h"

#define HELP_WIDTH 80 /* columns where there is no terminal to ask */

/* `cman help`: all commands by their groups. Lines of at most `width` columns where words allow. */
void help_add_overview(struct buf *out, int width);

/* `cman help COMMAND`. */
void help_add_command(struct buf *out, const struct cmd *cmd, int width);

/* Print one of them (`cmd` NULL or &cmd_global: the overview), as wide as the terminal. */
int help_print(const struct cmd *cmd, struct err *err);

#endif
