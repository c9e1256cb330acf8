/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_VOLUME_OPTIONS_H
#define CMAN_MANAGER_VOLUME_OPTIONS_H

/*
 * The options of Docker's volume driver `local`, which mounts something as mount(8) would. Of these
 * cman has the one that needs nobody to unmount it: a directory of the host under a volume's name
 * (type=none, o=bind, device=/DIR).
 */

#include <jansson.h>

#include "store/base/err.h"

/* ERR_USAGE, with words, where `options` (an object of strings) is something else. NULL is fine. */
int volume_options_check(const json_t *options, struct err *err);

/*
 * *device (to be freed) is the directory that a volume with these options, as they are kept in its
 * record, stands for; NULL where it has its own. `text` may be NULL.
 */
int volume_options_device(const char *text, char **device, struct err *err);

#endif
