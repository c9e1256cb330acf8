/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way into a PID namespace in which others live. Who changes that of its children (setns(2))
 * stays outside itself, so that nobody inside sees it: it lets go of all that is not theirs, and
 * executes ctinit --launch. That makes the process inside, with nothing in its memory but a command
 * line and an environment that are that process's own, and ends.
 */
#ifndef CTINIT_LAUNCH_H
#define CTINIT_LAUNCH_H

#include "init/options.h"

/* Returns the exit status: 0 where there is such a process, which is our parent's child. */
int launch(const struct options *options);

#endif
