/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_EXIT_STATUS_H
#define CMAN_MANAGER_EXIT_STATUS_H

/* The exit statuses that are not the payload's own, as docker-run(1) and shells have them. */

#include "store/base/err.h"

#define EXIT_CMAN 125	    /* cman itself failed */
#define EXIT_NO_EXEC 126    /* the payload cannot be executed */
#define EXIT_NO_PROGRAM 127 /* the payload was not found */
#define EXIT_SIGNALLED 128  /* and the number of the signal that ended it */

/* The one that a start which failed with `err` has: 126, 127 or 125. */
int exit_status_of(const struct err *err);

#endif
