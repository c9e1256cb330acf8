/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/runtime/cgroup_apply.h"
#include "manager/runtime/cgroup_devices.h"
#include "manager/runtime/cgroup_host.h"
#include "manager/runtime/cgroup_limits.h"
#include "manager/runtime/cgroup_tree.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"

/*
 * Only on a group of cman's own may a program be parked: it would hold for all below that have
 * none.
 */
#define PARK_PARENT "/cman/"

void cgroup_release(struct cgroup *cgroup)
{
	cleanup_close(&cgroup->v2_fd);
	for (size_t i = 0; i < CGROUP_V1_MAX; i++)
		cleanup_close(&cgroup->v1_fds[i]);
	cgroup_host_release(&cgroup->host);
}

/* ---- creation ------------------------------------------------------------------------------- */

/* That a place is not ours to write to is no fault of anybody's. */
static bool is_denied(int r)
{
	return r == -EROFS || r == -EACCES || r == -EPERM || r == -ENOENT;
}

/* The v1 group in `dir` is one of those that a process has to be moved into. */
static int keep_procs(int dir, const char *controller, struct cgroup *out, struct err *err)
{
	size_t slot = 0;

	while (out->v1_fds[slot] >= 0)
		slot++;
	out->v1_fds[slot] = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (out->v1_fds[slot] < 0)
		return err_sys(err, errno, "%s controller: cannot open cgroup.procs", controller);
	return 0;
}

static int set_limits(const struct cgroup_host *host, const char *path,
		      const struct spec_resources *resources, struct cgroup *out, struct err *err)
{
	for (int i = 0; i < CGROUP_NCONTROLLERS; i++) {
		enum cgroup_controller controller = (enum cgroup_controller)i;
		AUTO_CLOSE int dir = -1;
		const char *limit;
		int r;

		if (!cgroup_limit_wanted(resources, controller, &limit))
			continue;
		r = cgroup_apply(host, out->v2_fd, path, controller, resources, &dir, err);
		if (r == 0 && dir >= 0)
			r = keep_procs(dir, cgroup_controller_name(controller, false), out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * cgroup2 with BPF, else the v1 controller. Where neither can be had *unconfined says why, and it
 * is an error where somebody has asked for more than every container has.
 */
static int set_devices(const struct cgroup_host *host, const char *path,
		       const struct spec_resources *resources, struct cgroup *out,
		       struct err *unconfined, struct err *err)
{
	AUTO_CLOSE int park = -1, dir = -1;
	int r = -EOPNOTSUPP;

	if (!resources->ndevices)
		return 0;
	if (out->v2_fd >= 0) {
		if (begins_with(path, PARK_PARENT))
			park = openat(host->v2_root, "cman", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = cgroup_devices_attach(out->v2_fd, park, resources->devices, resources->ndevices,
					  err);
	}
	if (r != -EOPNOTSUPP)
		return r;
	if (cgroup_make_v1(host, "devices", path, &dir, unconfined) < 0 ||
	    keep_procs(dir, "devices", out, unconfined) < 0) {
		if (!spec_asks_for_devices(resources))
			return 0;
		err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			"what the container may do with devices cannot be enforced: no BPF for "
			"cgroups, and %s",
			unconfined->text);
		return err_hint(err, "without --device and --device-cgroup-rule it runs, without "
				     "CAP_MKNOD");
	}
	return cgroup_devices_write_v1(dir, resources->devices, resources->ndevices, err);
}

/* The cgroup2 group. Where it cannot be had, *without says why, for the warning. */
static int make_v2(int root, const char *path, struct cgroup *out, struct err *without,
		   struct err *err)
{
	int r = root < 0 ? err_set(without, ERR_UNSUPPORTED, ENOENT,
				   "no cgroup2 hierarchy is mounted") :
			   cgroup_tree_make(root, path, &out->v2_fd, without);

	if (r == 0 || is_denied(r))
		return 0;
	*err = *without;
	return r;
}

int cgroup_create(const char *path, const struct spec_resources *resources, struct cgroup *out,
		  struct err *err)
{
	struct cgroup made = CGROUP_INIT;
	struct err without = ERR_INIT, unconfined = ERR_INIT, ignored = ERR_INIT;
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	int r = cgroup_tree_check(path, err);

	if (r < 0)
		return r;
	r = cgroup_host_find(&host, err);
	if (r < 0)
		return r;
	r = make_v2(host.v2_root, path, &made, &without, err);
	if (r == 0)
		r = set_limits(&host, path, resources, &made, err);
	if (r == 0)
		r = set_devices(&host, path, resources, &made, &unconfined, err);
	if (r < 0) {
		cgroup_release(&made);
		(void)cgroup_destroy(path, &ignored);
		return r;
	}
	made.devices_open = unconfined.kind != ERR_NONE;
	if (made.v2_fd < 0 && made.v1_fds[0] < 0)
		log_warn("the container runs without a cgroup%s: %s",
			 made.devices_open ? " and without CAP_MKNOD" : "", without.text);
	else if (made.devices_open)
		log_warn("the container runs without CAP_MKNOD: no BPF for cgroups, and %s",
			 unconfined.text);
	*out = made;
	return 0;
}

/* ---- the rest of its life ------------------------------------------------------------------- */

int cgroup_open(const char *path, struct cgroup *out, struct err *err)
{
	struct cgroup found = CGROUP_INIT;
	int r = cgroup_tree_check(path, err);

	if (r < 0)
		return r;
	r = cgroup_host_find(&found.host, err);
	if (r < 0)
		return r;
	if (found.host.v2_root >= 0) {
		r = cgroup_tree_open(found.host.v2_root, path);
		if (r < 0 && r != -ENOENT) {
			cgroup_release(&found);
			return err_sys(err, -r, "cannot open cgroup %s", path);
		}
		found.v2_fd = r < 0 ? -1 : r;
	}
	*out = found;
	return 0;
}

int cgroup_open_v1(struct cgroup *cgroup, const char *path, struct err *err)
{
	char procs[PATH_MAX];
	size_t n = 0;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path + 1);
	for (size_t i = 0; cgroup_v1_controllers[i]; i++) {
		const char *controller = cgroup_v1_controllers[i];
		AUTO_CLOSE int root = cgroup_host_v1_with(&cgroup->host, controller, path);

		if (root == -ENOENT)
			continue;
		if (root < 0)
			return err_sys(err, -root, "cannot look for the %s controller", controller);
		cgroup->v1_fds[n] = openat(root, procs, O_WRONLY | O_CLOEXEC);
		if (cgroup->v1_fds[n] >= 0)
			n++;
		else if (errno != ENOENT)
			return err_sys(err, errno, "%s controller: cannot open cgroup %s",
				       controller, path);
	}
	return 0;
}

bool cgroup_limits_processes(int v2_fd, const char *path)
{
	char file[PATH_MAX] = "pids.max", text[24];

	for (const char *at = path; at; at = strchr(at + 1, '/')) {
		int r = cgroup_tree_read(v2_fd, file, text, sizeof(text));

		/* -ENOENT: a group that the controller is not turned on for, or the root */
		if (r == 0 ? strcmp(text, "max") != 0 : r != -ENOENT)
			return true;
		if (strlen(file) + sizeof("../") > sizeof(file))
			return true;
		memmove(file + 3, file, strlen(file) + 1);
		memcpy(file, "../", 3);
	}
	return false;
}

int cgroup_attach(const struct cgroup *cgroup, pid_t pid, struct err *err)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid);

	for (size_t i = 0; i < CGROUP_V1_MAX && cgroup->v1_fds[i] >= 0; i++)
		if (write(cgroup->v1_fds[i], text, (size_t)len) < 0)
			return err_sys(err, errno, "cannot move the container into its cgroup");
	return 0;
}

int cgroup_destroy(const char *path, struct err *err)
{
	int first = 0, r = cgroup_tree_check(path, err);
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;

	if (r < 0)
		return r;
	r = cgroup_host_find(&host, err);
	if (r < 0)
		return r;
	/* cgroup2 first: cgroup.kill there leaves the v1 groups empty. */
	if (host.v2_root >= 0)
		first = cgroup_tree_remove(host.v2_root, path, err);
	for (size_t i = 0; cgroup_v1_controllers[i]; i++) {
		AUTO_CLOSE int root = cgroup_host_v1_with(&host, cgroup_v1_controllers[i], path);
		struct err later = ERR_INIT;

		if (root == -ENOENT)
			continue;
		r = root < 0 ? err_sys(&later, -root, "cannot look for its hierarchy") :
			       cgroup_tree_remove(root, path, &later);
		if (r == 0 || first < 0)
			continue;
		*err = later;
		first = err_wrap(err, "%s controller", cgroup_v1_controllers[i]);
	}
	return first;
}

/* Whether "oom_kill N" with N above 0 is in a file of lines "key value". */
static bool counts_oom_kill(int dir_fd, const char *file)
{
	char text[512], *line;

	if (cgroup_tree_read(dir_fd, file, text, sizeof(text)) < 0)
		return false;
	line = strstr(text, "oom_kill ");
	return line && strtoull(line + strlen("oom_kill "), NULL, 10) > 0;
}

bool cgroup_oom_killed(const char *path)
{
	struct err err = ERR_INIT;
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	AUTO_CLOSE int v2 = -1, v1_root = -1, v1 = -1;

	if (cgroup_tree_check(path, &err) < 0 || cgroup_host_find(&host, &err) < 0) {
		log_debug("whether memory ran out is not known: %s", err.text);
		return false;
	}
	v2 = host.v2_root >= 0 ? cgroup_tree_open(host.v2_root, path) : -1;
	if (v2 >= 0 && counts_oom_kill(v2, "memory.events"))
		return true;
	v1_root = cgroup_host_v1(&host, "memory");
	v1 = v1_root >= 0 ? cgroup_tree_open(v1_root, path) : -1;
	return v1 >= 0 && counts_oom_kill(v1, "memory.oom_control");
}
