/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CHILD_EXEC_H
#define CMAN_MANAGER_RUNTIME_CHILD_EXEC_H

/* The last of child.c: which descriptors go on, to whom, and the execve. */

#include <stdbool.h>
#include <stddef.h>

#include "manager/runtime/child.h"
#include "manager/runtime/payload.h"
#include "manager/runtime/secrets.h"
#include "store/base/err.h"

#define CHILD_KEPT_BASE ENGINE_HELD_REPORT_WRITE
#define CHILD_KEPT_OWN (ENGINE_HELD_FIRST - CHILD_KEPT_BASE) /* the engine's own */
#define CHILD_HELD_MAX (CHILD_KEPT_OWN + ENGINE_HOLD_MAX)

struct child {
	const struct child_plan *plan;
	const struct spec *spec;
	struct payload payload;
	bool builder; /* child_is_builder() */
	int root_mount;
	int network;  /* the namespace that came from the parent, or -1 */
	int *sources; /* of bind mounts, one for each mount of the spec */
	struct secret_text *secrets;
	int init_fd;
	int gate_fd, launch_fd;	   /* of a builder: the gate, and where ctinit tells how it went */
	bool held[CHILD_HELD_MAX]; /* what stands at descriptor CHILD_KEPT_BASE + i for ctinit */
	size_t nheld;
};

/*
 * What ctinit keeps goes to fixed numbers, what the last phases need behind it, and everything
 * else of the parent's is closed: while the child waits at the gate it holds nothing of the host.
 */
int child_sort_descriptors(void *context, struct err *err);

/* Become ctinit, the payload, or ctinit that launches one of them. Returns where that failed. */
int child_execute(void *context, struct err *err);

#endif
