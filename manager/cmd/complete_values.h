/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_COMPLETE_VALUES_H
#define CMAN_MANAGER_CMD_COMPLETE_VALUES_H

/* The values that options take, for completion: of those that take one of a few words. */

#include "manager/cmd/cmd.h"

/*
 * "none|host|container:": the words with '|' between; one that ends with ':', '=' or ',' goes on.
 * NULL where it may be anything, or a thing that there is.
 */
const char *complete_values(const struct cmd *cmd, const struct cmd_option *option);

#endif
