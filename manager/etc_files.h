/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_ETC_FILES_H
#define CMAN_MANAGER_ETC_FILES_H

/*
 * Files of /etc that no image can hold, because they differ from container to container: hostname
 * and hosts, and with the host's network also its resolv.conf. They are kept in the container's
 * directory and mounted over those of the image, so that they do not end up in an image that is
 * made from the container. What the user mounts there goes first.
 */

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/* Write the files into `dir_fd`, whose absolute path is `dir`, and add their mounts to `spec`. */
int etc_files_create(int dir_fd, const char *dir, struct spec *spec, struct err *err);

#endif
