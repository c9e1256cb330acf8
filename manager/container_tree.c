/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/container_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "image/tree.h"
#include "image/walk.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/mount_api.h"
#include "manager/runtime/mount_visit.h"
#include "manager/runtime/rootfs.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

/*
 * Who looks at the files has all rights, and a container that runs may put a device node where a
 * file was a moment ago. Linux 5.11 cannot do this to a mount that is mounted nowhere.
 */
static int make_harmless(int mount, struct err *err)
{
	struct mount_attr change = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
			    MOUNT_ATTR_NOEXEC,
	};
	int r = mount_api_setattr(mount, 0, &change);

	return r < 0 && r != -ENOSYS ? err_sys(err, -r, "cannot make the mount read-only") : 0;
}

static int clone_directory(const char *path, int *mount, struct err *err)
{
	AUTO_CLOSE int fd = mount_api_clone(AT_FDCWD, path, 0);
	int r = fd < 0 ? err_sys(err, -fd, "cannot clone the mount of %s", path) :
			 make_harmless(fd, err);

	if (r == 0)
		*mount = STEAL_FD(fd);
	return r;
}

static int mount_merged(char *const *directories, int *mount, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r = rootfs_mount_layers(directories, &fd, err);

	if (r == 0)
		r = make_harmless(fd, err);
	if (r == 0)
		*mount = STEAL_FD(fd);
	return r;
}

static int mount_all(char *const *directories, int *mount, struct err *err)
{
	if (!directories || strv_len(directories) == 0)
		return err_set(err, ERR_STATE, ENOENT,
			       "it has no layers: it was made from a directory");
	if (strv_len(directories) == 1)
		return clone_directory(directories[0], mount, err);
	return mount_merged(directories, mount, err);
}

int container_tree_below(const struct spec *spec, int *mount, struct err *err)
{
	return mount_all(spec->overlay.lower, mount, err);
}

int container_tree_upper(const struct spec *spec, int *mount, struct err *err)
{
	if (!spec->overlay.upper)
		return mount_all(NULL, mount, err);
	return clone_directory(spec->overlay.upper, mount, err);
}

/* In the container's mount namespace: only the mount at "/", without those below. */
static int clone_root(void *data, struct err *err)
{
	int fd = mount_api_clone(AT_FDCWD, "/", 0);

	(void)data;
	return fd < 0 ? err_sys(err, -fd, "cannot clone the mount of its root") : fd;
}

static int clone_running(const struct container_record *record, int *mount, struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	AUTO_CLOSE int fd = -1;
	int r = engine_open(record->pid, record->pid_start_time, &process, err);

	/* Before that it stands in the host's files. */
	if (r == 0)
		r = engine_await_setup(&process, err);
	if (r == 0)
		r = mount_visit(process.pidfd, clone_root, NULL, &fd, err);
	engine_process_release(&process);
	if (r == 0)
		r = make_harmless(fd, err);
	if (r == 0)
		*mount = STEAL_FD(fd);
	return r;
}

int container_tree_merged(const struct container_record *record, const struct spec *spec,
			  int *mount, struct err *err)
{
	AUTO_STRV char **all = NULL;

	if (record->state == CONTAINER_RUNNING || record->state == CONTAINER_PAUSED)
		return clone_running(record, mount, err);
	if (spec->root_path)
		return clone_directory(spec->root_path, mount, err);
	if (strv_extend(&all, spec->overlay.lower) < 0 || strv_add(&all, spec->overlay.upper) < 0)
		return err_sys(err, ENOMEM, "cannot mount its files");
	return mount_all(all, mount, err);
}

/* --- places to mount on --- */

static bool is_own_mount(const struct spec_mount *mount)
{
	static const char *const files[] = { "/etc/hostname", "/etc/hosts", "/etc/resolv.conf" };
	static const char *const directories[] = { "/proc", "/sys", "/dev" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(mount->destination, files[i]) == 0)
			return true;
	if (strcmp(mount->type, "bind") == 0)
		return false;
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (strcmp(mount->destination, directories[i]) == 0)
			return true;
	return false;
}

static bool is_within(const char *path, char *const *roots)
{
	for (; roots && *roots; roots++)
		if (strcmp(path, *roots) == 0)
			return true;
	return false;
}

/* Whether all that is in the directory `path` is among `known`. -errno. */
static int holds_only(int fd, const char *path, char *const *known)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(fd, ".");
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = fd_readdir(dir))) {
		AUTO_FREE char *inner = NULL;

		if (asprintf(&inner, "%s/%s", path, entry->d_name) < 0) {
			inner = NULL;
			return -ENOMEM;
		}
		if (!is_within(inner, known))
			return false;
	}
	return errno ? -errno : true;
}

/*
 * 1: `path` of the upper directory holds nothing but what is known, and the layers have nothing
 * there.
 */
static int is_mere_place(int upper, int below, const char *path, char *const *known)
{
	AUTO_CLOSE int there = tree_open_beneath(below, path, O_PATH);
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (there >= 0)
		return 0;
	fd = tree_open_beneath(upper, path, O_PATH);
	if (fd < 0)
		return fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return st.st_size == 0;
	if (!S_ISDIR(st.st_mode))
		return 0;
	return holds_only(fd, path, known);
}

static int add_place(int upper, int below, const char *path, char ***places)
{
	int r = is_mere_place(upper, below, path, *places);

	return r > 0 ? strv_add(places, path) : r;
}

static int compare(const void *a, const void *b)
{
	return walk_compare(*(char *const *)a, *(char *const *)b);
}

int container_tree_targets(const struct spec *spec, int upper, int below, char ***out,
			   struct err *err)
{
	AUTO_STRV char **places = NULL;
	int r = 0;

	for (size_t i = 0; i < spec->nmounts && r == 0; i++)
		if (is_own_mount(&spec->mounts[i]))
			r = add_place(upper, below, spec->mounts[i].destination + 1, &places);
	/* Made for the three files in it. */
	if (r == 0 && strv_len(places) > 0)
		r = add_place(upper, below, "etc", &places);
	if (r < 0)
		return err_sys(err, -r, "cannot examine its mount points");
	if (places)
		qsort(places, strv_len(places), sizeof(*places), compare);
	*out = STEAL_PTR(places);
	return 0;
}
