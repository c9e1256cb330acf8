/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_IMAGE_ROOT_H
#define CMAN_MANAGER_IMAGE_ROOT_H

#include <stddef.h>
#include <sys/stat.h>

#include "store/base/err.h"

/*
 * Owner, mode and time of the root directory that an image shows: those of the uppermost of its
 * layers whose archive names the root. One that does not was unpacked with the time 0
 * (image/unpack.h). `trees`: names below `layers_fd`, bottom first, at least one. ERR_SYS.
 */
int image_root_stat(int layers_fd, const char *const *trees, size_t ntrees, struct stat *out,
		    struct err *err);

#endif
