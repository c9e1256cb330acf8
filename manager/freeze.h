/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_FREEZE_H
#define CMAN_MANAGER_FREEZE_H

/*
 * A container held still while its files are looked at. It is frozen, and let go on, by the stage
 * cman-guard, in a session of its own: whatever becomes of the caller, even by SIGKILL, the
 * guard sees its end of the socket close and lets the container go on. And should the guard be
 * killed, the caller does.
 */

#include <stdbool.h>

#include "store/base/err.h"
#include "store/base/stage.h"
#include "store/containers.h"

struct store;

struct freeze {
	struct stage_child guard; /* pid 0: none runs */
	int fd;			  /* to the guard */
	int cgroup_fd;
	int lock_fd; /* two that freeze one container take turns */
	bool was_frozen;
};

#define FREEZE_INIT                                                                \
	{                                                                          \
		.guard = { .pidfd = -1 }, .fd = -1, .cgroup_fd = -1, .lock_fd = -1 \
	}
#define AUTO_FREEZE __attribute__((cleanup(freeze_end)))
/* Let it go on, and wait until it does. Harmless when nothing was frozen. */
void freeze_end(struct freeze *freeze);

/*
 * Freeze the running container of `record`, whose cgroup is `cgroups_path`; one that is paused
 * already stays so at the end. Waits for another one that has frozen it. ERR_UNSUPPORTED where
 * there is no freezer.
 */
int freeze_begin(struct freeze *freeze, struct store *store, const struct container_record *record,
		 const char *cgroups_path, struct err *err);

/* Stage. */
int guard_stage_main(void);

#endif
