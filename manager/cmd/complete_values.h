/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_COMPLETE_VALUES_H
#define CMAN_MANAGER_CMD_COMPLETE_VALUES_H

/* The values that options take, for completion: of those that take one of a few words. */

#include <stdbool.h>

#include "manager/cmd/cmd.h"
#include "store/containers.h"

/*
 * "none|host|container:": the words with '|' between; one that ends with ':', '=' or ',' goes on.
 * NULL where it may be anything, or a thing that there is.
 */
const char *complete_values(const struct cmd *cmd, const struct cmd_option *option);

/* Whether the command does anything with a container in that state. */
bool complete_suits(const struct cmd *cmd, enum container_state state);

#endif
