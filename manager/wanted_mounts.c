/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/wanted_mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/path.h"

const char *container_mount_kind_name(enum container_mount_kind kind)
{
	static const char *const names[] = {
		[MOUNT_OF_HOST] = "bind",
		[MOUNT_OF_VOLUME] = "volume",
		[MOUNT_OF_MEMORY] = "tmpfs",
	};

	return names[kind];
}

void container_mount_release(struct container_mount *mount)
{
	cleanup_free(&mount->source);
	cleanup_free(&mount->destination);
	cleanup_free(&mount->options);
	cleanup_free(&mount->subpath);
	cleanup_free(&mount->path);
	json_decref(mount->labels);
	json_decref(mount->driver_options);
	*mount = (struct container_mount)CONTAINER_MOUNT_INIT;
}

void wanted_mounts_release(struct wanted_mounts *mounts)
{
	for (size_t i = 0; i < mounts->n; i++)
		container_mount_release(&mounts->list[i]);
	free(mounts->list);
	*mounts = (struct wanted_mounts){ 0 };
}

int wanted_mounts_add(struct wanted_mounts *mounts, struct container_mount *mount, struct err *err)
{
	struct container_mount *list =
		reallocarray(mounts->list, mounts->n + 1, sizeof(*mounts->list));

	if (!list)
		return err_sys(err, ENOMEM, "cannot keep the mounts");
	path_normalise(mount->destination);
	mounts->list = list;
	list[mounts->n++] = *mount;
	*mount = (struct container_mount)CONTAINER_MOUNT_INIT;
	return 0;
}

bool wanted_mounts_cover(const struct wanted_mounts *mounts, const char *path)
{
	for (size_t i = 0; i < mounts->n; i++)
		if (strcmp(mounts->list[i].destination, path) == 0)
			return true;
	return false;
}

const char *mount_mark(char *const *options, const char *mark)
{
	for (; options && *options; options++)
		if (begins_with(*options, mark))
			return *options + strlen(mark);
	return NULL;
}
