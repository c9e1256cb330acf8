/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_STATUS_H
#define CMAN_MANAGER_CMD_STATUS_H

/* A container's record as a person reads it. */

#include <stdbool.h>
#include <stdint.h>

#include "manager/cmd/human.h"
#include "store/base/buf.h"
#include "store/containers.h"

#define STATUS_MAX (HUMAN_MAX + 32)

/* Whether it has a process, or will have one without being told: running, paused, restarting. */
bool status_is_live(enum container_state state);

/*
 * "Up 3 minutes", "Up 3 minutes (unhealthy)", "Up 3 minutes (Paused)", "Restarting (1) 5 seconds
 * ago", "Exited (0) 2 hours ago", "Exited (?) …" where the status was lost, "Created", "Removing".
 * Returns `out`.
 */
const char *status_text(const struct container_record *record, int64_t now_ns,
			char out[STATUS_MAX]);

/* "2 hours ago". A time to come (the clock was set back) is now. Returns `out`. */
const char *status_ago(int64_t ns, char out[HUMAN_MAX + 8]);

/*
 * Add the words of `command`, a JSON array of strings as in the record, quoted where the shell
 * would need it. What is no such array is added as it is. NULL adds nothing.
 */
void status_add_command(struct buf *buf, const char *command);

#endif
