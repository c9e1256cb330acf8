/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_NAMES_H
#define CMAN_MANAGER_NAMES_H

/*
 * Names for containers that were given none: a mood and a bird, such as "brave-heron". There are
 * 2,304 of them; from the fourth attempt on a number is added, so that one is free in the end.
 */

#include "store/base/err.h"
#include "store/containers.h"

/* `attempt` counts from 0: how many names made before were taken. */
int name_generate(int attempt, char out[CONTAINER_NAME_MAX + 1], struct err *err);

#endif
