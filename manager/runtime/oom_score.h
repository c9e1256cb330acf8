/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_OOM_SCORE_H
#define CMAN_MANAGER_RUNTIME_OOM_SCORE_H

#include <sys/types.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * What the kernel adds to the badness of the process when it has to kill one for memory
 * (proc_pid_oom_score_adj(5)), if `process` says so: written by its parent, and inherited by all
 * that it forks.
 */
int oom_score_apply(int proc_fd, pid_t pid, const struct spec_process *process, struct err *err);

#endif
