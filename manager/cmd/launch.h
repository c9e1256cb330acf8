/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_LAUNCH_H
#define CMAN_MANAGER_CMD_LAUNCH_H

/*
 * The client's part in the start of a container: it starts the monitor before it knows what is to
 * run (so that both get ready at the same time), tells it the container, and hears how it went.
 */

#include "manager/cmd/pump.h"
#include "manager/cmd/run_options.h"
#include "store/base/err.h"
#include "store/base/stage.h"
#include "store/containers.h"

struct launch {
	struct stage_child monitor;
	struct pump pump; /* ready for pump_run() once the payload was started, unless detached */
};

#define LAUNCH_INIT                                                      \
	{                                                                \
		.monitor = { .pid = -1, .pidfd = -1 }, .pump = PUMP_INIT \
	}
#define AUTO_LAUNCH __attribute__((cleanup(launch_release)))
/* A monitor that was told no container ends by that. */
void launch_release(struct launch *launch);

/*
 * Start the monitor, with the pipes that `options` ask for. `id` is the container that will be
 * created: when this process is killed before launch_start(), the monitor removes it.
 */
int launch_begin(const char *root, const struct run_options *options, const char *id,
		 struct launch *out, struct err *err);

/*
 * Have it start `record`'s container, whose row and directory are there. Returns when the payload
 * was executed, or with the monitor's error (ERR_NO_PROGRAM: 127, ERR_NO_EXEC: 126).
 */
int launch_start(struct launch *launch, const struct container_record *record, struct err *err);

#endif
