/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MOUNT_PLAN_H
#define CMAN_MANAGER_MOUNT_PLAN_H

/*
 * From what was asked for to what is mounted: the mounts of other containers (--volumes-from) and
 * the volumes of the image join those of the command line, where these have nothing in that place;
 * and each volume gets its name and its path.
 */

#include <stddef.h>

#include "image/config.h"
#include "manager/spec_build.h"
#include "store/base/err.h"
#include "store/volumes.h"

struct store;

struct mount_plan {
	struct volume_use *volumes; /* for create_request (lifecycle.h) */
	size_t nvolumes;
};

#define MOUNT_PLAN_INIT \
	{               \
		0       \
	}
#define AUTO_MOUNT_PLAN __attribute__((cleanup(mount_plan_release)))
void mount_plan_release(struct mount_plan *plan);

/*
 * Complete options->mounts for spec_build(). Nothing is made yet. ERR_NOT_FOUND for a container
 * that --volumes-from names, ERR_INVALID for a volume of the image in no place.
 */
int mount_plan_make(struct store *store, const struct image_config *config,
		    struct container_options *options, struct mount_plan *out, struct err *err);

#endif
