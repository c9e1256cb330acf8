/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/lifecycle_update.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "manager/lifecycle.h"
#include "manager/lifecycle_process.h"
#include "manager/runtime/cgroup.h"
#include "manager/runtime/engine.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/log.h"
#include "store/events.h"
#include "store/store.h"

/*
 * What is locked: the spec itself is replaced, and the container's directory is what those lock who
 * wait for its end. No process of the container can open this one.
 */
#define LOCKED "upper"

static int lock(int dir_fd, int how)
{
	AUTO_CLOSE int fd = openat(dir_fd, LOCKED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return -errno;
	return STEAL_FD(fd);
}

int lifecycle_hold_spec(struct store *store, const char *id)
{
	AUTO_CLOSE int dir_fd = -1;
	struct err missing = ERR_INIT;

	return container_dir_open(store, id, &dir_fd, &missing) < 0 ? -1 : lock(dir_fd, LOCK_SH);
}

static int write_spec(int dir_fd, const struct spec *spec, struct err *err)
{
	AUTO_FREE char *text = NULL;
	int rc = spec_print(spec, &text, err);

	if (rc == 0)
		rc = fd_replace_file(dir_fd, LIFECYCLE_SPEC_FILE, 0600, text, strlen(text), true,
				     err);
	return rc;
}

/*
 * Whether it ended while its cgroups were changed: then what was made of them after it was cleaned
 * up is taken away. Nobody starts it again meanwhile.
 */
static bool has_ended(const struct engine_process *process, const struct spec *spec)
{
	struct pollfd end = { .fd = process->pidfd, .events = POLLIN };
	struct err ignored = ERR_INIT;

	if (lifecycle_wait_readable(&end, 1, 0, &ignored) == 0)
		return false;
	(void)cgroup_destroy(spec->cgroups_path, &ignored);
	return true;
}

/* Of the running container: 1, or 0 when it has ended. */
static int change_cgroups(const struct container_record *record, const struct spec *before,
			  const struct spec *after, bool *uncounted, struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	int rc =
		lifecycle_runs(record->state) ?
			lifecycle_open_process(record->pid, record->pid_start_time, &process, err) :
			0;

	if (rc > 0) {
		rc = cgroup_update(before->cgroups_path, &before->resources, &after->resources,
				   uncounted, err);
		if (has_ended(&process, before)) {
			*err = (struct err)ERR_INIT;
			rc = 0;
		} else if (rc == 0) {
			rc = 1;
		}
	}
	engine_process_release(&process);
	return rc;
}

static void note(struct store *store, const struct container_record *record)
{
	const struct event event = {
		.type = "container",
		.action = "update",
		.object = record->id,
		.name = record->name,
		.image = record->image,
		.exit_code = -1,
		.labels = record->labels,
	};
	struct err ignored = ERR_INIT;

	(void)event_add(store, &event, &ignored);
}

/* With the lock held. */
static int update(struct store *store, struct container_record *record, int dir_fd,
		  const struct limits *limits, struct err *err)
{
	AUTO_SPEC struct spec before = SPEC_INIT, after = SPEC_INIT;
	struct err ignored = ERR_INIT;
	bool uncounted = false;
	int changed, rc = lifecycle_load_spec(store, record->id, &before, err);

	if (rc == 0)
		rc = lifecycle_load_spec(store, record->id, &after, err);
	if (rc == 0)
		rc = limits_apply(limits, record->id, &after, err);
	if (rc == 0)
		rc = lifecycle_reread(store, record, err);
	if (rc < 0)
		return rc;
	if (record->state == CONTAINER_REMOVING)
		return err_set(err, ERR_STATE, ESRCH, "it is being removed");
	changed = change_cgroups(record, &before, &after, &uncounted, err);
	if (changed < 0)
		return changed;
	if (write_spec(dir_fd, &after, err) < 0)
		rc = store_hint_room(store, err);
	if (rc < 0 && changed)
		(void)change_cgroups(record, &after, &before, &uncounted, &ignored);
	else if (rc == 0 && changed && uncounted)
		log_warn("%s: what it holds in memory by now does not count against the new limit; "
			 "after a restart all does",
			 record->name);
	return rc;
}

int lifecycle_update(struct store *store, struct container_record *record,
		     const struct limits *limits, struct err *err)
{
	AUTO_CLOSE int dir_fd = -1, lock_fd = -1;
	int rc = container_dir_open(store, record->id, &dir_fd, err);

	if (rc == 0) {
		lock_fd = lock(dir_fd, LOCK_EX);
		if (lock_fd < 0)
			rc = err_sys(err, -lock_fd, "cannot wait for others that change it");
	}
	if (rc == 0)
		rc = update(store, record, dir_fd, limits, err);
	if (rc < 0)
		return err_wrap(err, "%s", record->name);
	note(store, record);
	return 0;
}
