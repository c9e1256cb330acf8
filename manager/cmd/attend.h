/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_ATTEND_H
#define CMAN_MANAGER_CMD_ATTEND_H

#include "manager/cmd/pump.h"
#include "store/base/err.h"

/*
 * Be the user's side of the container `name` until it ends, or the user leaves it. Returns the exit
 * status of this process: the payload's, or 0 when the user has detached.
 */
int attend(struct pump *pump, const char *name, struct err *err);

#endif
