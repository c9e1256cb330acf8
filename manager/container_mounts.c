/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/container_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#include "manager/runtime/engine.h"
#include "manager/runtime/mount_api.h"
#include "manager/runtime/mount_visit.h"
#include "manager/runtime/mounts.h"
#include "manager/runtime/rootfs.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/private_mounts.h"
#include "store/base/strv.h"

/* What a visit to a mount namespace is to bring back. */
struct order {
	const struct spec *spec; /* of one that does not run; NULL: its namespace is visited */
	bool reading, writing;
	int second; /* the mount for writing, where both are asked for; else -1 */
};

static int make_harmless(int mount, bool writable, struct err *err)
{
	struct mount_attr change = {
		.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC |
			    (writable ? 0 : MOUNT_ATTR_RDONLY),
	};
	int r = mount_api_setattr(mount, AT_RECURSIVE, &change);

	if (r == -ENOSYS)
		return err_set(err, ERR_UNSUPPORTED, ENOSYS, "this needs Linux 5.12");
	return r < 0 ? err_sys(err, -r, "cannot make the mounts harmless") : 0;
}

static int clone_all(int dir, const char *path, bool writable, struct err *err)
{
	AUTO_CLOSE int mount =
		mount_api_clone(dir, path, AT_RECURSIVE | (path[0] ? 0 : AT_EMPTY_PATH));
	int r = mount < 0 ? err_sys(err, -mount, "cannot clone the mounts") :
			    make_harmless(mount, writable, err);

	return r < 0 ? r : STEAL_FD(mount);
}

int host_mounts_open(int dir, bool writable, int *mount, struct err *err)
{
	int fd = clone_all(dir, "", writable, err);

	if (fd < 0)
		return fd;
	*mount = fd;
	return 0;
}

/* In the visited namespace: `root` and all below, once or twice. */
static int clone_ordered(struct order *order, int dir, const char *path, struct err *err)
{
	if (!order->reading)
		return clone_all(dir, path, true, err);
	if (order->writing) {
		order->second = clone_all(dir, path, true, err);
		if (order->second < 0)
			return order->second;
	}
	return clone_all(dir, path, false, err);
}

static int visit_running(void *data, struct err *err)
{
	return clone_ordered(data, AT_FDCWD, "/", err);
}

/* --- of one that does not run --- */

/* Its root: for reading only, the upper directory is one more layer that nobody writes to. */
static int mount_root(const struct order *order, int *root, struct err *err)
{
	struct spec view = *order->spec;
	AUTO_STRV char **layers = NULL;

	view.overlay.is_volatile = false;
	if (view.overlay.lower && !order->writing) {
		if (strv_extend(&layers, view.overlay.lower) < 0 ||
		    strv_add(&layers, view.overlay.upper) < 0)
			return err_sys(err, ENOMEM, "cannot mount its files");
		view.overlay = (struct spec_overlay){ .lower = layers };
	}
	return rootfs_mount(&view, root, err);
}

static bool is_there(int root, const char *path)
{
	AUTO_CLOSE int fd = fd_open_in_root(root, path, O_PATH, 0);

	return fd >= 0;
}

static int mount_volumes(const struct order *order, int root, const int *sources, struct err *err)
{
	const struct spec *spec = order->spec;
	int r = 0;

	for (size_t i = 0; i < spec->nmounts && r == 0; i++)
		/* Places are made where that can be done, as its start would. */
		if (sources[i] >= 0 &&
		    (order->writing || is_there(root, spec->mounts[i].destination)))
			r = mounts_make(spec, i, i + 1, root, sources, err);
	return r;
}

static int make_root_readonly(int root, struct err *err)
{
	struct mount_attr change = { .attr_set = MOUNT_ATTR_RDONLY };
	int r = mount_api_setattr(root, 0, &change);

	return r < 0 ? err_sys(err, -r, "cannot make its root read-only") : 0;
}

static int visit_new(void *data, struct err *err)
{
	struct order *order = data;
	AUTO_CLOSE int root = -1;
	int *sources = NULL;
	/* While the host's files are still in sight, and its mounts as they are. */
	int r = mounts_open_sources(order->spec, &sources, err);

	if (r < 0)
		return r;
	r = private_mounts_make(err);
	if (r == 0)
		r = mount_root(order, &root, err);
	if (r == 0)
		r = mount_volumes(order, root, sources, err);
	mounts_close_sources(order->spec, sources);
	if (r == 0 && order->spec->root_readonly)
		r = make_root_readonly(root, err);
	return r < 0 ? r : clone_ordered(order, root, "", err);
}

/* --- both --- */

static int visit(const struct container_record *record, struct order *order, int *out,
		 struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	int r;

	if (order->spec)
		return mount_visit(-1, visit_new, order, out, err);
	r = engine_open(record->pid, record->pid_start_time, &process, err);
	/* Before that it stands in the host's files. */
	if (r == 0)
		r = engine_await_setup(&process, err);
	if (r == 0)
		r = mount_visit(process.pidfd, visit_running, order, out, err);
	engine_process_release(&process);
	return r;
}

int container_mounts_open(const struct container_record *record, const struct spec *spec,
			  int *reading, int *writing, struct err *err)
{
	bool runs = record->state == CONTAINER_RUNNING || record->state == CONTAINER_PAUSED;
	struct order order = {
		.spec = runs ? NULL : spec,
		.reading = reading != NULL,
		.writing = writing != NULL,
		.second = -1,
	};
	int fd = -1;
	int r = visit(record, &order, &fd, err);

	if (r < 0) {
		cleanup_close(&order.second);
		return r;
	}
	if (reading)
		*reading = fd;
	if (writing)
		*writing = reading ? order.second : fd;
	return 0;
}
