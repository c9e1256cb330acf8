/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CHILD_H
#define CMAN_MANAGER_RUNTIME_CHILD_H

/*
 * The container's first process, from the fork to the execve of ctinit or of the payload itself.
 *
 * In a PID namespace that others live in, who is there sees a process from its birth, and with
 * CAP_SYS_PTRACE can have all that it holds and make it do anything (newcomer.h). There this child
 * is no more than the builder of the container: it stays in the host's PID namespace, does all that
 * is to be done, and executes `ctinit --launch` as what the payload is to be, with nothing of the
 * host. That makes the first process, inside, which waits at a gate of its own.
 */

#include <stdbool.h>

#include "manager/runtime/devices.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/namespaces.h"
#include "manager/runtime/seccomp.h"

struct child_plan {
	const struct engine_request *request;
	const struct seccomp_filter *filter; /* NULL: unconfined */
	int sync_fd;			     /* the child's end of the handshake */
	int init_fd;			     /* ctinit, -1: nobody needs it */
	int report_fds[2];		     /* pipe of ctinit's records, -1 without it */
	int gate_fd;			 /* of the process in a PID namespace of others, or -1 */
	bool devices_open;		 /* no cgroup confines them, see cgroup.h */
	struct device_list host_devices; /* borrowed */
	struct namespace_joins joins;	 /* borrowed: namespaces of others to enter */
};

/*
 * In a process with a copy of its parent's memory, and all signals blocked: so they stay for
 * ctinit, while a payload that is process 1 itself starts with none blocked. All descriptors are a
 * copy, too, and its own: those of the plan and of the request it uses up, and no other outlives
 * the gate. It becomes ctinit or the payload, or ctinit that launches them, or tells the parent
 * through sync_fd in which phase and why it cannot, and ends with status 125.
 */
_Noreturn void child_main(const struct child_plan *plan);

/* Whether it is the builder only. */
static inline bool child_is_builder(const struct namespace_joins *joins)
{
	return (joins->set & SPEC_NS_PID) != 0;
}

#endif
