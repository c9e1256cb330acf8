/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a container. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/containers.h"
#include "store/draft_name.h"
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
	const char *name = id;

	/* it may not have been opened yet, store_open_files() */
	if (store->db && container_find(store, id, &record, &unknown) == 0)
		name = record.name;

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

int container_dir_discard(struct store *store, const char *id, char trash[CONTAINER_TRASH_LEN],
			  struct err *err)
{
	int r = draft_name(trash, CONTAINER_TRASH_LEN, TRASH_PREFIX);

	if (r == 0 && renameat(store->containers_fd, id, store->tmp_fd, trash) < 0)
		r = -errno;
	if (r < 0)
		trash[0] = '\0';
	if (r == 0 || r == -ENOENT)
		return 0;
	/* What keeps it from being moved may not keep it from being removed. */
	return container_dir_remove(store, id, err);
}

int container_trash_remove(struct store *store, const char *trash, struct err *err)
{
	int r = trash[0] ? fd_remove_tree(store->tmp_fd, trash, err) : 0;

	return r < 0 ? err_wrap(err, "%s/tmp/%s", store->root, trash) : 0;
}

int container_dir_remove(struct store *store, const char *id, struct err *err)
{
	int r = fd_remove_tree(store->containers_fd, id, err);

	return r < 0 ? err_wrap(err, "%s/containers/%s", store->root, id) : 0;
}
