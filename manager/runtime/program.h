/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_PROGRAM_H
#define CMAN_MANAGER_RUNTIME_PROGRAM_H

/* Which file a payload's first word names, and what is wrong when it cannot be executed. */

#include "store/base/err.h"

/*
 * Find `name` as execvp(3) would, for the effective user, from the working directory: as it is if
 * it has a slash, else in the directories of `path` (NULL: the default of a container). *out is
 * to be freed. ERR_NO_PROGRAM when there is none, ERR_NO_EXEC when there is one that cannot be
 * executed.
 */
int program_resolve(const char *name, const char *path, char **out, struct err *err);

/* The error of an execve(2) of `program` that failed with `num`. */
int program_exec_failed(const char *program, int num, struct err *err);

#endif
