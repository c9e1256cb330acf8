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
#include "store/base/fd.h"
#include "store/base/log.h"
#include "store/sweep.h"

static bool has_no_row(struct store *store, const char *id)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	struct err missing = ERR_INIT;

	return container_read(store, id, &record, &missing) < 0 && missing.kind == ERR_NOT_FOUND;
}

/*
 * Its monitor holds the claim from before there is a process or a cgroup until long after the row
 * is there: where nobody has it and there is still no row, nobody will ever write one. One that was
 * not claimed yet is but a directory, which store_sweep() removes. Containers that have a row are
 * not touched: who wants to attend to them must not find the claim taken.
 */
static void sweep_one(struct store *store, const char *id)
{
	AUTO_CLOSE int dir_fd = -1;
	AUTO_CLOSE int claim = -1;
	struct err missing = ERR_INIT;

	if (strlen(id) != CONTAINER_ID_LEN || !has_no_row(store, id) ||
	    container_dir_open(store, id, &dir_fd, &missing) < 0 || !claim_is_known(dir_fd) ||
	    claim_take(dir_fd, &claim) < 0 || !has_no_row(store, id))
		return;
	log_debug("container %.12s: its start was killed: it is removed", id);
	lifecycle_discard(store, id);
}

int lifecycle_sweep_given_up(struct store *store, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(store->containers_fd, ".");
	const struct dirent *entry;

	if (!dir)
		return err_sys(err, errno, "cannot read %s/containers", store->root);
	while ((entry = fd_readdir(dir)))
		sweep_one(store, entry->d_name);
	return errno ? err_sys(err, errno, "cannot read %s/containers", store->root) : 0;
}

int lifecycle_sweep(struct store *store, struct err *err)
{
	int rc = lifecycle_sweep_given_up(store, err);

	return rc < 0 ? rc : store_sweep(store, err);
}
