/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_ATTEND_H
#define CMAN_MANAGER_CMD_ATTEND_H

#include "manager/cmd/launch.h"
#include "store/base/err.h"
#include "store/containers.h"

/*
 * Be the user's side of the container `name` until it ends, or the user leaves it. Returns the exit
 * status of this process: the payload's, 0 when the user has detached, or 128+n where this end has
 * left (pump.h). That the container goes on is said.
 */
int attend(struct launch *launch, const char *name, struct err *err);

/* At the user's terminal, whose cursor is somewhere in a line: "detached: TEXT" in one of its own. */
void attend_tell_detached(const char *text);
/* Likewise what comes of it that the user types ctrl-c again and again (PUMP_INTERRUPTED). */
void attend_tell_interrupted(const struct err *err);

#endif
