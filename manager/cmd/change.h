/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_CHANGE_H
#define CMAN_MANAGER_CMD_CHANGE_H

/* --change, of commit and import: instructions as image/config_change.h has them. */

#include "store/base/err.h"

/* Append it to `changes` (strv_free()) if it can be understood: else ERR_USAGE. */
int change_option_add(char ***changes, const char *instruction, struct err *err);

#endif
