/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_ATTACHMENT_H
#define CMAN_MANAGER_CMD_ATTACHMENT_H

/* One more client of a container that runs, for `cman attach` and `cman start -a`. */

#include "manager/cmd/launch.h"
#include "store/base/err.h"
#include "store/containers.h"
#include "store/store.h"

/*
 * Connect to it, and where it has a terminal show what its screen had last: *out is ready for
 * attend(). From here on signals wait (pump_block_signals). Who reads stdout no more ends the
 * client and not the container. ERR_STATE with ECHILD where it has just ended.
 */
int attachment_begin(struct store *store, const struct container_record *record,
		     const struct launch_how *how, struct launch *out, struct err *err);

#endif
