/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_ID_FILE_H
#define CMAN_MANAGER_CMD_ID_FILE_H

/* --cidfile and --pidfile: a file with one line, that is there as a whole or not at all. */

#include "store/base/err.h"

/* ERR_EXISTS where there is such a file: before anything is made. */
int id_file_check(const char *path, struct err *err);

/* Write the ID of a container. ERR_EXISTS as above. */
int id_file_write_id(const char *path, const char *id, struct err *err);

/* Write the number of a process, instead of what the file had. */
int id_file_write_pid(const char *path, int pid, struct err *err);

#endif
