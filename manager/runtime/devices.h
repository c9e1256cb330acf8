/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_DEVICES_H
#define CMAN_MANAGER_RUNTIME_DEVICES_H

/* What /dev of a container holds (OCI runtime-spec config-linux.md, "Default Devices"). */

#include "manager/runtime/spec.h"
#include "store/base/err.h"

struct device_list {
	struct spec_device *devices;
	size_t count;
};

void device_list_release(struct device_list *list);

/*
 * The device nodes below `directory` of the host, under the paths they have below `inside`; of /dev
 * without what is a file system or a terminal of its own in each container. With the modes and
 * owners that they have.
 */
int devices_of_directory(const char *directory, const char *inside, struct device_list *out,
			 struct err *err);

/*
 * Look at the host's nodes that devices of the spec are: numbers change with each start of the
 * machine, and a disk is not to be taken for another one. Devices and the rules for them follow.
 * ERR_SYS where one is not there any more, ERR_STATE where one is another one and others than root
 * could have put that into its place: a link in a directory of theirs.
 */
int devices_follow_host(struct spec *spec, struct err *err);

/*
 * The nodes of the spec, those of `host` where nothing else is in their place, and the usual
 * symlinks. Nothing where one of the first mounts (mounts.h) binds a directory on /dev.
 */
int devices_make(const struct spec *spec, const struct device_list *host, int root_fd,
		 struct err *err);

/* /dev/console is the terminal whose slave is `slave`. */
int devices_bind_console(int root_fd, int slave, struct err *err);

#endif
