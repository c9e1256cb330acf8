/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_DEVICES_H
#define CMAN_MANAGER_RUNTIME_DEVICES_H

/* What /dev of a container holds (OCI runtime-spec config-linux.md, "Default Devices"). */

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * The nodes of the spec, and the usual symlinks. Nothing where the spec binds a directory on
 * /dev.
 */
int devices_make(const struct spec *spec, int root_fd, struct err *err);

/* /dev/console is the terminal whose slave is `slave`. */
int devices_bind_console(int root_fd, int slave, struct err *err);

#endif
