/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_TIME_ZONE_H
#define CMAN_MANAGER_TIME_ZONE_H

/* --tz: the file of a time zone (tzfile(5)), from the host or from the container's own tree. */

#include <stddef.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * Whether the name can be one; which files there are is seen when a container is made, as the image
 * may have it. ERR_INVALID; also where it is "local" and the host has none.
 */
int time_zone_check(const char *name, struct err *err);

/*
 * *text, to be freed, is the file of the zone: the host's, "local" its own one, or where that has no
 * such zone, the one that is in the layers or the directory of `spec`. ERR_INVALID: nobody has it.
 */
int time_zone_read(const char *name, const struct spec *spec, char **text, size_t *len,
		   struct err *err);

#endif
