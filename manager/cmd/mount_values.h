/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_MOUNT_VALUES_H
#define CMAN_MANAGER_CMD_MOUNT_VALUES_H

/*
 * Values of options that mount something: -v, --tmpfs, --mount, --volumes-from. They add to
 * `mounts`; `option` is for the message. ERR_USAGE naming option and value; ERR_SYS for a source
 * that is not there.
 */

#include "manager/cmd/cmd.h"
#include "manager/wanted_mounts.h"

/*
 * [SRC:]DST[:OPTIONS]. SRC is a path of the host that begins with / or ., or the name of a volume;
 * without it, the volume is a new one.
 */
int run_value_volume(const struct cmd_option *option, const char *value,
		     struct wanted_mounts *mounts, struct err *err);

/* DST[:OPTIONS]. */
int run_value_tmpfs(const struct cmd_option *option, const char *value,
		    struct wanted_mounts *mounts, struct err *err);

/* type=TYPE,KEY=VALUE,…: mount_option.c. */
int run_value_mount(const struct cmd_option *option, const char *value,
		    struct wanted_mounts *mounts, struct err *err);

/* NAME[:ro|:rw]. */
int run_value_volumes_from(const struct cmd_option *option, const char *value, char ***names,
			   struct err *err);

/* --- for all of them --- */

/*
 * A path inside that nothing is mounted on so far, and not "/"; it is brought into its one form
 * (path.h). `value` is for the message.
 */
int mount_value_destination(const struct cmd_option *option, char *path, const char *value,
			    const struct wanted_mounts *mounts, struct err *err);

/* A path of the host, made absolute (to be freed). It has to be there. */
int mount_value_source(const struct cmd_option *option, const char *path, char **out,
		       struct err *err);

/* Whether `text` is a path and no name of a volume. */
bool mount_value_is_path(const char *text);

/* The name of a volume. */
int mount_value_name(const struct cmd_option *option, const char *name, struct err *err);

/* NULL: one of private, rprivate, shared, rshared, slave, rslave; else the nearest of them or "". */
const char *mount_value_propagation(const char *word);

#endif
