/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_MOUNT_PEERS_H
#define CMAN_MANAGER_RUNTIME_MOUNT_PEERS_H

/*
 * Whether mounts that come and go on one side of a bind mount can show on the other at all: that is
 * a property of the mount that the source is on. mount_namespaces(7), proc_pid_mountinfo(5).
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"

/* MS_SHARED and MS_SLAVE make sense with peers only. */
bool mount_needs_peers(uint64_t propagation);

/*
 * `fd` is open (O_PATH is enough) on the source of a bind mount that is to have `propagation`.
 * ERR_STATE with a hint where it needs peers and its mount has none.
 */
int mount_peers_check(int fd, uint64_t propagation, const char *source, struct err *err);

#endif
