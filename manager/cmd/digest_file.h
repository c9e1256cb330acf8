/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_DIGEST_FILE_H
#define CMAN_MANAGER_CMD_DIGEST_FILE_H

#include "store/base/err.h"

/* --digestfile: the digest alone, for scripts. */
int digest_file_write(const char *path, const char *digest, struct err *err);

#endif
