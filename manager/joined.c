/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/joined.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/lifecycle.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/mount_api.h"
#include "manager/runtime/mount_visit.h"
#include "manager/runtime/namespaces.h"
#include "manager/runtime/spec_names.h"
#include "manager/spec_build.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define HOPS_MAX 16 /* from container to container; a record may say anything */

void joined_release(struct joined *joined)
{
	for (size_t i = 0; i < SPEC_NS_COUNT; i++)
		cleanup_close(&joined->namespaces[i]);
	cleanup_close(&joined->shm);
	*joined = (struct joined)JOINED_INIT;
}

/* Process 1 of the container, set up; its record, for messages. */
static int open_process(struct store *store, const char *id, const char *type,
			struct container_record *record, struct engine_process *out,
			struct err *err)
{
	int rc = lifecycle_find(store, id, record, err);

	if (rc < 0 && err->kind == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, ENOENT,
			       "the container whose %s namespace it shares, %.12s, was removed",
			       type, id);
	if (rc == 0 && (record->state == CONTAINER_RUNNING || record->state == CONTAINER_PAUSED)) {
		rc = engine_open(record->pid, record->pid_start_time, out, err);
		if (rc == 0)
			rc = engine_await_setup(out, err);
		if (rc == 0 || err->kind != ERR_STATE)
			return rc;
	} else if (rc < 0) {
		return rc;
	}
	return err_set(err, ERR_STATE, ESRCH,
		       "the container whose %s namespace it shares, %s, is not running", type,
		       record->name);
}

static int open_namespace(const struct engine_process *process, unsigned type, int *out,
			  struct err *err)
{
	struct namespace_joins joins = NAMESPACE_JOINS_INIT;
	int rc = namespaces_open(type, process->pid, process->pidfd, &joins, err);

	if (rc == 0)
		*out = STEAL_FD(joins.fds[spec_namespace_index(type)]);
	namespace_joins_release(&joins);
	return rc;
}

/* In the other's mount namespace. */
static int clone_shm(void *data, struct err *err)
{
	AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = -1;
	int mount;

	(void)data;
	if (root < 0)
		return err_sys(err, errno, "cannot open its /");
	fd = fd_open_in_root(root, SPEC_SHM, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(err, -fd, "cannot open its " SPEC_SHM);
	mount = mount_api_clone(fd, "", AT_EMPTY_PATH);
	return mount < 0 ? err_sys(err, -mount, "cannot clone its " SPEC_SHM) : mount;
}

static int share_memory(struct store *store, const struct container_record *record,
			const struct engine_process *process, int *out, struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	int rc = lifecycle_load_spec(store, record->id, &spec, err);

	if (rc < 0)
		return rc;
	if (spec.private_ipc) {
		err_set(err, ERR_STATE, EACCES,
			"the IPC namespace of %s is private (--ipc private or none)", record->name);
		return err_hint(err,
				"it can be shared if that container is made with --ipc shareable");
	}
	rc = mount_visit(process->pidfd, clone_shm, NULL, out, err);
	return rc < 0 ? err_wrap(err, "%s", record->name) : 0;
}

static int open_one(struct store *store, const struct spec_name *name, const char *id,
		    struct joined *joined, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	struct engine_process process = ENGINE_PROCESS_INIT;
	int *out = &joined->namespaces[spec_namespace_index(name->value)];
	int rc = open_process(store, id, name->name, &record, &process, err);

	if (rc == 0)
		rc = open_namespace(&process, (unsigned)name->value, out, err);
	if (rc == 0 && name->value == SPEC_NS_IPC)
		rc = share_memory(store, &record, &process, &joined->shm, err);
	engine_process_release(&process);
	return rc;
}

int joined_open(struct store *store, const struct spec *spec, struct joined *out, struct err *err)
{
	struct joined joined = JOINED_INIT;
	int rc = 0;

	for (const struct spec_name *name = spec_namespace_names; name->name && rc == 0; name++) {
		const char *id = spec->joins[spec_namespace_index(name->value)].container;

		if (id)
			rc = open_one(store, name, id, &joined, err);
	}
	if (rc < 0) {
		joined_release(&joined);
		return rc;
	}
	*out = joined;
	return 0;
}

/* --- when it ends --- */

/* Who joins the namespace of one that has joined it lives as long as whoever made it. */
static bool maker_ends(struct store *store, const char *id, int hops,
		       char name[CONTAINER_NAME_MAX + 1])
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	const struct spec_join *join = &spec.joins[spec_namespace_index(SPEC_NS_PID)];
	AUTO_CLOSE int proc_fd = -1;
	struct err ignored = ERR_INIT;

	if (container_read(store, id, &record, &ignored) < 0 ||
	    lifecycle_load_spec(store, id, &spec, &ignored) < 0)
		return false;
	if (join->container)
		return hops > 0 && maker_ends(store, join->container, hops - 1, name);
	if (join->path || !(spec.namespaces & SPEC_NS_PID) ||
	    identity_open_proc(&proc_fd, &ignored) < 0 ||
	    !identity_is_exiting(proc_fd, record.pid, record.pid_start_time))
		return false;
	snprintf(name, CONTAINER_NAME_MAX + 1, "%s", record.name);
	return true;
}

bool joined_ends(struct store *store, const struct spec *spec, char name[CONTAINER_NAME_MAX + 1])
{
	const char *id = spec->joins[spec_namespace_index(SPEC_NS_PID)].container;

	return id && maker_ends(store, id, HOPS_MAX, name);
}

/* --- when a container is made --- */

static int resolve_one(struct store *store, struct share *share, const char *type,
		       struct container_record *record, struct err *err)
{
	char *id;
	int rc = lifecycle_find(store, share->with, record, err);

	if (rc < 0)
		return err_wrap(err, "--%s", type);
	id = strdup(record->id);
	if (!id)
		return err_sys(err, ENOMEM, "cannot keep the options");
	free(share->with);
	share->with = id;
	return 0;
}

static int copy_hostname(struct store *store, const char *id, char **out, struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	int rc = lifecycle_load_spec(store, id, &spec, err);

	if (rc < 0 || !spec.hostname)
		return rc;
	*out = strdup(spec.hostname);
	return *out ? 0 : err_sys(err, ENOMEM, "cannot keep the options");
}

int joined_resolve(struct store *store, struct isolation *isolation, char **hostname,
		   struct err *err)
{
	int rc = 0;

	for (const struct spec_name *name = spec_namespace_names; name->name && rc == 0; name++) {
		AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
		struct share *share = &isolation->shares[spec_namespace_index(name->value)];

		if (share->mode != SHARE_CONTAINER)
			continue;
		rc = resolve_one(store, share, name->name, &record, err);
		if (rc == 0 && name->value == SPEC_NS_NETWORK)
			rc = copy_hostname(store, share->with, hostname, err);
	}
	return rc;
}

int joined_share_etc(struct store *store, struct spec *spec, struct err *err)
{
	static const char *const files[] = { "/etc/hosts", "/etc/resolv.conf", "/etc/hostname" };
	const char *id = spec->joins[spec_namespace_index(SPEC_NS_NETWORK)].container;
	AUTO_SPEC struct spec other = SPEC_INIT;
	int rc = id ? lifecycle_load_spec(store, id, &other, err) : 0;

	for (size_t i = 0; id && i < sizeof(files) / sizeof(files[0]) && rc == 0; i++) {
		const struct spec_mount *mount = spec_find_mount(&other, files[i]);

		if (mount && !spec_find_mount(spec, files[i]) && !spec_find_mount(spec, "/etc"))
			rc = spec_add_mount(
				spec, files[i], "bind", mount->source,
				spec->root_readonly ? "bind,rprivate,ro" : "bind,rprivate", err);
	}
	return rc;
}
