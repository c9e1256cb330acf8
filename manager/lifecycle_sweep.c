/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a start that was killed before its row was written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "manager/lifecycle.h"
#include "manager/monitor/claim.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/sweep.h"

/*
 * Its monitor holds the claim from before there is a process or a cgroup until long after the row
 * is there: where nobody has it and there is still no row, nobody will ever write one. One that was
 * not claimed yet is but a directory, which store_sweep() removes.
 */
static bool is_given_up(struct store *store, const char *id)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_CLOSE int dir_fd = -1;
	AUTO_CLOSE int claim = -1;
	struct err missing = ERR_INIT;

	if (strlen(id) != CONTAINER_ID_LEN || container_dir_open(store, id, &dir_fd, &missing) < 0)
		return false;
	if (!claim_is_known(dir_fd) || claim_take(dir_fd, &claim) < 0)
		return false;
	return container_read(store, id, &record, &missing) < 0 && missing.kind == ERR_NOT_FOUND;
}

int lifecycle_sweep(struct store *store, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	int fd = openat(store->containers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		dir = fdopendir(fd);
	if (!dir) {
		cleanup_close(&fd);
		return err_sys(err, errno, "cannot read %s/containers", store->root);
	}
	while ((entry = readdir(dir)) != NULL) {
		if (!is_given_up(store, entry->d_name))
			continue;
		log_debug("container %.12s: its start was killed: it is removed", entry->d_name);
		lifecycle_discard(store, entry->d_name);
	}
	return store_sweep(store, err);
}
