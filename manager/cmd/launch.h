/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_LAUNCH_H
#define CMAN_MANAGER_CMD_LAUNCH_H

/*
 * The client's part in the start of a container: it starts the monitor, and hears how it went. A
 * new container's is a copy of the client itself (launch_new); that of one which was created before
 * is a stage, as the client had the store open.
 */

#include "manager/cmd/pump.h"
#include "manager/monitor/monitor.h"
#include "store/base/err.h"
#include "store/base/stage.h"
#include "store/containers.h"
#include "store/store.h"

struct launch {
	char name[CONTAINER_NAME_MAX + 1]; /* of the container that was started */
	int pid;			   /* its process 1 */
	struct stage_child monitor;	   /* our child; pid 0: it is not */
	struct pump pump; /* ready for pump_run() once the payload was started, unless detached */
};

/* How the container is attended by its client. */
struct launch_how {
	bool detached;	  /* not at all */
	bool interactive; /* it gets the client's stdin */
	bool tty;	  /* it has a terminal */
	unsigned streams; /* ATTACH_*, protocol.h: what is attached; 0: all there is */
	bool no_proxy;	  /* signals are not forwarded to it */
	struct detach_keys keys;
};

#define LAUNCH_INIT                                           \
	{                                                     \
		.monitor = { .pidfd = -1 }, .pump = PUMP_INIT \
	}
#define AUTO_LAUNCH __attribute__((cleanup(launch_release)))
void launch_release(struct launch *launch);

/*
 * Fork the monitor that creates container `id` and starts it, with the pipes that `how` asks
 * for; `plan` lacks stdio. From here on signals wait (pump_block_signals). Returns 0 when the
 * payload was executed, 1 when the client has to begin anew (PACKET_AGAIN), or the monitor's error
 * (ERR_NO_PROGRAM: 127, ERR_NO_EXEC: 126); -ECHILD when it is gone and has not said why.
 */
int launch_new(const struct monitor_plan *plan, const char *id, const struct launch_how *how,
	       struct launch *out, struct err *err);

/* After a 1 of launch_new(): signals act again, those that had to wait at once. */
void launch_undo(struct launch *launch);

/*
 * Start the monitor of a container that was created, with the pipes that `how` asks for. One
 * that is told no container ends by that.
 */
int launch_begin(const char *root, const struct launch_how *how, struct launch *out,
		 struct err *err);

/*
 * Have it start `record`'s container, whose row and directory are there. Returns when the payload
 * was executed, or with the monitor's error as above.
 */
int launch_start(struct launch *launch, const struct container_record *record, struct err *err);

/*
 * Connect to a container that runs, as one more client. What it wrote before *since_ns is in the
 * log, what comes after in the pump.
 */
int launch_attach(struct store *store, const struct container_record *record,
		  const struct launch_how *how, struct launch *out, int64_t *since_ns,
		  struct err *err);

#endif
