/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CHILD_H
#define CMAN_MANAGER_RUNTIME_CHILD_H

/* The container's first process, from the fork to the execve of ctinit or of the payload itself. */

#include <stdbool.h>

#include "manager/runtime/devices.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/namespaces.h"
#include "manager/runtime/seccomp.h"

struct child_plan {
	const struct engine_request *request;
	const struct seccomp_filter *filter; /* NULL: unconfined */
	int sync_fd;			     /* the child's end of the handshake */
	int init_fd;			     /* ctinit, -1: the payload is process 1 */
	int report_fds[2];		     /* pipe of ctinit's records, -1 without it */
	bool devices_open;		     /* no cgroup confines them, see cgroup.h */
	struct device_list host_devices;     /* borrowed */
	struct namespace_joins joins;	     /* borrowed: namespaces of others to enter */
};

_Noreturn void child_main(const struct child_plan *plan);

#endif
