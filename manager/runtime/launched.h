/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_LAUNCHED_H
#define CMAN_MANAGER_RUNTIME_LAUNCHED_H

/*
 * The engine's side of a start in a PID namespace of others (child.h): from the builder, outside,
 * to the container's first process, inside. Whoever can trace that one can say whatever it likes in
 * its place, and keep its descriptors open.
 */

#include "manager/runtime/engine.h"
#include "store/base/err.h"

/*
 * *process is a builder that executes ctinit: reaps it, and makes *process what it has launched,
 * which waits at its gate: pid, start_time and pidfd.
 */
int launched_take(int proc_fd, struct engine_process *process, struct err *err);

/*
 * After a start that failed, the builder being gone: end whatever it has launched into the PID
 * namespace open at `ns_fd`. Who that is, nobody may have said, or not truly: any child of ours in
 * there is meant.
 */
void launched_end(int ns_fd);

/* Without ctinit as process 1: until the payload was executed. Errors as engine_start's. */
int launched_await_program(const struct engine_process *process, struct err *err);

#endif
