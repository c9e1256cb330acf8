/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_IMAGE_MOUNT_H
#define CMAN_MANAGER_IMAGE_MOUNT_H

/*
 * The files of an image, shown on the host: <run>/images/<image id>, read-only, without devices
 * and set-user-ID. An image is mounted once, whoever asks for it. While that directory is there
 * nobody removes the image (image_is_mounted()); it is made first and removed last, so that what a
 * kill leaves is a directory with nothing mounted on it, which the next mount or unmount sees.
 */

#include "store/base/err.h"
#include "store/images.h"

struct store;

/* *path, to be freed, is where it is mounted, already or now. */
int image_mount(struct store *store, const struct image_record *image, char **path,
		struct err *err);

/* ERR_STATE where it is not mounted, and where somebody is using it. */
int image_unmount(struct store *store, const char *id, struct err *err);

/* Each that is mounted, in no order: its ID and path. A failure of the visitor is returned. */
typedef int image_mount_visit(const char *id, const char *path, void *data, struct err *err);
int image_mount_each(struct store *store, image_mount_visit *visit, void *data, struct err *err);

#endif
