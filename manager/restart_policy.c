/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/restart_policy.h"

#include <string.h>

#include "store/base/clock.h"

#define FIRST_MS 100
#define MAX_MS 60000
#define STABLE_NS (10 * NS_PER_S)

bool restart_policy_wants(const struct container_record *now)
{
	if (now->ended_by && strcmp(now->ended_by, ENDED_BY_HEALTH) != 0)
		return false;
	switch (now->restart) {
	case RESTART_NO:
		return false;
	case RESTART_ON_FAILURE:
		return now->exit_code != 0 &&
		       (now->restart_max == 0 || now->restart_count < now->restart_max);
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	}
	return false;
}

bool restart_policy_wants_at_boot(const struct container_record *record)
{
	bool went_down = record->ended_by && strcmp(record->ended_by, ENDED_BY_SHUTDOWN) == 0;
	bool by_itself = !record->ended_by || strcmp(record->ended_by, ENDED_BY_HEALTH) == 0;

	if (record->state != CONTAINER_EXITED || record->started_ns == 0)
		return false;
	switch (record->restart) {
	case RESTART_NO:
		return false;
	case RESTART_ON_FAILURE:
		return went_down || (by_itself && record->exit_code != 0);
	case RESTART_ALWAYS:
		return true;
	case RESTART_UNLESS_STOPPED:
		return went_down || by_itself;
	}
	return false;
}

int restart_policy_delay_ms(int last_ms, int64_t up_ns)
{
	if (last_ms == 0 || up_ns >= STABLE_NS)
		return FIRST_MS;
	return last_ms < MAX_MS / 2 ? last_ms * 2 : MAX_MS;
}
