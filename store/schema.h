/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_SCHEMA_H
#define CMAN_STORE_SCHEMA_H

#include <sqlite3.h>

#include "store/base/err.h"

/*
 * Open <root>/cman.db, whose directory is `root_fd`, too; create it or bring it to this program's
 * schema version where needed, in which case other processes are held off by flock(2) on root_fd.
 * A database with a higher version is refused (ERR_UNSUPPORTED).
 */
int schema_open(const char *root, int root_fd, sqlite3 **out, struct err *err);

/* Open it once more, of whatever version it is by now. What opening it takes has been done then. */
int schema_reopen(const char *root, sqlite3 **out, struct err *err);

#endif
