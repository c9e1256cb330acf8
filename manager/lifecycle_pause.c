/* SPDX-License-Identifier: Apache-2.0 */
/* A container that is held still, and let go on. */
#include <errno.h>

#include "manager/lifecycle.h"
#include "manager/lifecycle_process.h"
#include "manager/runtime/cgroup.h"
#include "manager/runtime/cgroup_freeze.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/process_family.h"
#include "store/base/cleanup.h"

int lifecycle_expect_unpaused(const struct container_record *record, struct err *err)
{
	if (record->state != CONTAINER_PAUSED)
		return 0;
	err_set(err, ERR_STATE, EBUSY, "%s is paused", record->name);
	return err_hint(err, "let it go on first: cman unpause %s", record->name);
}

/* `init`, where the answer is wanted: whether its process is a ctinit. */
static int open_group(struct store *store, const struct container_record *record, int *out,
		      bool *init, struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	struct cgroup cgroup = CGROUP_INIT;
	int r = lifecycle_load_spec(store, record->id, &spec, err);

	if (r == 0 && spec.cgroups_path)
		r = cgroup_open(spec.cgroups_path, &cgroup, err);
	if (r < 0)
		return r;
	*out = STEAL_FD(cgroup.v2_fd);
	cgroup_release(&cgroup);
	if (init)
		*init = spec.init;
	if (*out >= 0)
		return 0;
	return err_set(err, ERR_UNSUPPORTED, ENOENT,
		       "%s cannot be paused: it has no group in a cgroup2 hierarchy", record->name);
}

/* One at a time: commit holds a container still, too. `record` is as it is then. */
static int take_turn(struct store *store, struct container_record *record, int *lock_fd,
		     struct err *err)
{
	AUTO_CLOSE int dir = -1;
	int r = container_dir_open(store, record->id, &dir, err);

	if (r == 0)
		r = lifecycle_lock_files(dir, true, lock_fd, err);
	if (r == 0)
		r = lifecycle_reread(store, record, err);
	return r == 0 ? lifecycle_refresh(store, record, err) : r;
}

/* Where it has ended meanwhile, an empty group came to a halt, or there was none any more. */
static int expect_still(struct store *store, struct container_record *record, struct err *err)
{
	int r = lifecycle_reread(store, record, err);

	if (r == 0)
		r = lifecycle_refresh(store, record, err);
	else if (err->kind == ERR_NOT_FOUND)
		r = lifecycle_gone(record, err);
	return r == 0 ? lifecycle_expect_running(record, err) : r;
}

/* What ctinit is held from seeing: without it, its container would be paused for no program. */
static bool payload_has_ended(const struct container_record *record)
{
	AUTO_CLOSE int proc_fd = -1;
	struct err ignored = ERR_INIT;

	return identity_open_proc(&proc_fd, &ignored) == 0 &&
	       process_family_payload_waits(proc_fd, record->pid);
}

/*
 * The record comes first: what a kill between the two leaves is a container that is said to be
 * paused, and goes on when it is told to, not one that stands still and nobody knows why.
 */
static int freeze(struct store *store, struct container_record *record, int group, bool init,
		  struct err *err)
{
	struct err ignored = ERR_INIT, ended = ERR_INIT;
	int r = container_set_paused(store, record->id, true, err);

	if (r < 0)
		return r;
	r = cgroup_freeze(group, -1, err);
	if (r == 0 && !(init && payload_has_ended(record)))
		return expect_still(store, record, err);
	(void)cgroup_thaw(group, &ignored);
	(void)container_set_paused(store, record->id, false, &ignored);
	if (r == 0) {
		record->state = CONTAINER_EXITED;
		return lifecycle_expect_running(record, err);
	}
	if (expect_still(store, record, &ended) == 0 || ended.kind != ERR_STATE)
		return err_wrap(err, "%s", record->name);
	*err = ended;
	return err_code(err);
}

int lifecycle_pause(struct store *store, struct container_record *record, struct err *err)
{
	AUTO_CLOSE int lock = -1;
	AUTO_CLOSE int group = -1;
	bool init = false;
	int r = take_turn(store, record, &lock, err);

	if (r == 0)
		r = lifecycle_expect_running(record, err);
	if (r == 0 && record->state == CONTAINER_PAUSED)
		return err_set(err, ERR_STATE, EBUSY, "%s is paused already", record->name);
	if (r == 0)
		r = open_group(store, record, &group, &init, err);
	if (r == 0)
		r = freeze(store, record, group, init, err);
	return r;
}

int lifecycle_unpause(struct store *store, struct container_record *record, struct err *err)
{
	AUTO_CLOSE int lock = -1;
	AUTO_CLOSE int group = -1;
	int r = take_turn(store, record, &lock, err);

	if (r == 0 && record->state != CONTAINER_PAUSED)
		return err_set(err, ERR_STATE, EINVAL, "%s is not paused", record->name);
	if (r == 0)
		r = open_group(store, record, &group, NULL, err);
	if (r == 0)
		r = cgroup_thaw(group, err);
	if (r == 0)
		r = container_set_paused(store, record->id, false, err);
	if (r == 0)
		record->state = CONTAINER_RUNNING;
	return r;
}
