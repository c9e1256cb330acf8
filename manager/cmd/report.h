/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_REPORT_H
#define CMAN_MANAGER_CMD_REPORT_H

/*
 * How an error reaches a person: "cman: TEXT" and, where there is one, "hint: HINT" on stderr, with
 * everything that could act on a terminal made visible. A command calls this itself only where it
 * goes on after an error (`cman rm a b c`); the error it returns is printed by main.
 */

#include "manager/exit_status.h"
#include "store/base/err.h"

#define EXIT_INTERRUPTED 130 /* by the user, as a shell says of SIGINT */

void report_error(const struct err *err);

/* exit_status_of(), or 130 for a pull that was interrupted (EINTR). */
int report_status(const struct err *err);

#endif
