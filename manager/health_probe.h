/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_HEALTH_PROBE_H
#define CMAN_MANAGER_HEALTH_PROBE_H

/*
 * One run of a container's health check: a program in the container, started by the stage cman-exec
 * (exec_stage.h) as `cman exec` would, with a time limit and with its output bounded. It never
 * blocks: whoever runs it has a poll(2) loop.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manager/runtime/engine.h"
#include "manager/runtime/spec.h"
#include "store/base/err.h"
#include "store/base/stage.h"

#define HEALTH_OUTPUT_MAX 4096
#define HEALTH_TIMED_OUT (-1) /* in place of an exit status, as Docker has it */

struct health_probe {
	struct stage_child stage;
	int socket, output; /* -1: it does not run */
	char *text;	    /* what it printed, HEALTH_OUTPUT_MAX + 1 bytes; owned */
	size_t len;
	int64_t started_ns;  /* CLOCK_REALTIME */
	int64_t deadline_ns; /* CLOCK_MONOTONIC: then it is killed */
	bool killed;
	int exit_code; /* once it has ended: 0 is healthy */
};

#define HEALTH_PROBE_INIT                                                      \
	{                                                                      \
		.stage = { .pid = 0, .pidfd = -1 }, .socket = -1, .output = -1 \
	}

/*
 * Start it. `dir_fd`: the container's directory; `cache_fd` as in engine.h. `health` has a test
 * that is not NONE. On failure nothing runs.
 */
int health_probe_begin(struct health_probe *probe, const struct spec_health *health,
		       const struct engine_process *init, int dir_fd, int cache_fd,
		       struct err *err);

bool health_probe_runs(const struct health_probe *probe);
/* What it waits for: fd -1 for nothing. */
void health_probe_poll(const struct health_probe *probe, struct pollfd fds[2]);

/*
 * One of those came, or its time is over. Returns true when it has ended by this: text and
 * exit_code say how. Then, or to have it end at once, call health_probe_end().
 */
bool health_probe_step(struct health_probe *probe, const struct pollfd fds[2]);

/* Nothing of it runs any more, and what it said is forgotten. */
void health_probe_end(struct health_probe *probe);

#endif
