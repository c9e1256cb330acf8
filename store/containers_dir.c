/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a container. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/containers.h"
#include "store/store.h"

int container_dir_create(struct store *store, const char *id, int *dir_fd, struct err *err)
{
	AUTO_CLOSE int dir = -1;

	if (mkdirat(store->containers_fd, id, 0700) < 0)
		return err_sys(err, errno, "cannot create %s/containers/%s", store->root, id);
	dir = openat(store->containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* The umask took its part of the modes; payloads of all users go through upper/. */
	if (dir < 0 || fchmod(dir, 0700) < 0 || mkdirat(dir, "upper", 0755) < 0 ||
	    fchmodat(dir, "upper", 0755, 0) < 0 || mkdirat(dir, "work", 0700) < 0 ||
	    fchmodat(dir, "work", 0700, 0) < 0)
		return err_sys(err, errno, "cannot create %s/containers/%s", store->root, id);
	*dir_fd = STEAL_FD(dir);
	return 0;
}

int container_fail_incomplete(struct store *store, const char *id, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	struct err unknown = ERR_INIT;
	const char *name = container_find(store, id, &record, &unknown) == 0 ? record.name : id;

	err_set(err, ERR_STATE, ENOENT, "%s was not created completely", name);
	return err_hint(err, "unless that is still going on, remove it: cman rm %s", name);
}

int container_dir_open(struct store *store, const char *id, int *dir_fd, struct err *err)
{
	int fd = openat(store->containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return container_fail_incomplete(store, id, err);
	if (fd < 0)
		return err_sys(err, errno, "cannot open %s/containers/%s", store->root, id);
	*dir_fd = fd;
	return 0;
}

int container_dir_remove(struct store *store, const char *id, struct err *err)
{
	int r = fd_remove_tree(store->containers_fd, id, err);

	return r < 0 ? err_wrap(err, "%s/containers/%s", store->root, id) : 0;
}
