/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RESTART_POLICY_H
#define CMAN_MANAGER_RESTART_POLICY_H

/*
 * Whether a container that has ended is started again, and when: Docker's rules. Who asks for an
 * end by a command is obeyed, whatever the policy.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/containers.h"

/* container_record.ended_by: its own health check asked for the end; the machine went down. */
#define ENDED_BY_HEALTH "health"
#define ENDED_BY_SHUTDOWN "shutdown"

/*
 * `now` is the row as it is at the end, but for exit_code, which is that of the end (-1: not
 * known, which counts as failure).
 */
bool restart_policy_wants(const struct container_record *now);

/*
 * Whether a container that has ended is to be started after a boot. One that ran when the machine
 * went down has ended by ENDED_BY_SHUTDOWN, or its end was lost. One that was never started is not.
 */
bool restart_policy_wants_at_boot(const struct container_record *record);

/*
 * Milliseconds to wait before the next start. `last_ms`: before the one before, 0: there was none;
 * `up_ns`: how long the container ran. 100 ms, each time doubled, at most a minute; from the
 * beginning again after it ran for 10 s.
 */
int restart_policy_delay_ms(int last_ms, int64_t up_ns);

#endif
