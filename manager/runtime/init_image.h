/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_INIT_IMAGE_H
#define CMAN_MANAGER_RUNTIME_INIT_IMAGE_H

#include "store/base/err.h"

/*
 * The embedded ctinit as a descriptor for execveat(2), close-on-exec: a sealed memfd, which
 * nobody can ever write again; where the host forbids to execute memfds (vm.memfd_noexec=2), one
 * warning and a file on a read-only file system that is mounted nowhere. Executable for all and
 * readable for none but root, so that ctinit, run as an ordinary user, cannot be traced by that
 * user's programs, nor its descriptors be taken from /proc.
 */
int init_image_open(int *out, struct err *err);

#endif
