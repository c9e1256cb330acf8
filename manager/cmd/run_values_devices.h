/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_RUN_VALUES_DEVICES_H
#define CMAN_MANAGER_CMD_RUN_VALUES_DEVICES_H

/*
 * Values of options of run and create that name things of the host which the container is to have:
 * devices and secrets. `option` is for the message; ERR_USAGE names option and value.
 */

#include "manager/cmd/cmd.h"
#include "manager/isolation.h"

/*
 * HOST[:PATH][:rwm]. HOST is a device node, or a directory: then all nodes below it. ERR_SYS where
 * it is not there.
 */
int run_value_device(const struct cmd_option *option, const char *value,
		     struct isolation *isolation, struct err *err);

/* [source=]FILE[,target=NAME][,uid=ID][,gid=ID][,mode=OCTAL]. */
int run_value_secret(const struct cmd_option *option, const char *value,
		     struct isolation *isolation, struct err *err);

#endif
