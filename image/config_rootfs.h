/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CONFIG_ROOTFS_H
#define CMAN_IMAGE_CONFIG_ROOTFS_H

#include <jansson.h>

#include "store/base/err.h"

/*
 * The configuration (image-spec config.md) of an image that is one root file system archive:
 * `shell` is its command. It holds nothing but what the archive is, so that the same archive gets
 * the same image ID on every machine. `architecture` as OCI names it (amd64, arm64). To be
 * released.
 */
int config_for_rootfs(const char *architecture, const char *diff_id, const char *shell,
		      json_t **out, struct err *err);

#endif
