/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/protect.h"

#include <stdbool.h>
#include <sys/stat.h>

#include "manager/runtime/mount_api.h"
#include "manager/runtime/mounts.h"
#include "manager/runtime/nodes.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

/* What covers masked paths: clones of these two, made when first needed. */
struct covers {
	int directory; /* an attached mount, so that it can be cloned */
	int file;
};

/* Open `path`; *out is -1 where there is nothing to protect. */
static int open_path(int root_fd, const char *path, int *out, struct err *err)
{
	int fd = fd_open_in_root(root_fd, path, O_PATH, 0);

	if (fd == -ENOENT || fd == -ENOTDIR)
		fd = -1;
	else if (fd < 0)
		return err_sys(err, -fd, "cannot open %s in the container", path);
	*out = fd;
	return 0;
}

static int cover_directory(struct covers *covers, int target, struct err *err)
{
	static char *const options[] = { "nr_inodes=2", "mode=0555", NULL };
	AUTO_CLOSE int mount = -1;
	int result;

	if (covers->directory >= 0) {
		mount = mount_api_clone(covers->directory, "", AT_EMPTY_PATH);
		if (mount < 0)
			return err_sys(err, -mount, "cannot clone an empty directory");
	} else {
		result = mount_filesystem("tmpfs", "tmpfs", options,
					  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						  MOUNT_ATTR_NOEXEC,
					  &mount, err);
		if (result < 0)
			return result;
	}
	result = mount_api_attach(mount, target);
	if (result < 0)
		return err_sys(err, -result, "cannot attach an empty directory");
	if (covers->directory < 0)
		covers->directory = STEAL_FD(mount);
	return 0;
}

static int cover_file(struct covers *covers, int root_fd, int target, struct err *err)
{
	AUTO_CLOSE int mount = -1;
	int result;

	/* something else there would give away what it covers */
	if (covers->file < 0) {
		result = node_find_null(root_fd, &covers->file, err);
		if (result < 0)
			return result;
	}
	mount = mount_api_clone(covers->file, "", AT_EMPTY_PATH);
	result = mount < 0 ? mount : mount_api_attach(mount, target);
	if (result < 0)
		return err_sys(err, -result, "cannot attach the null device");
	return 0;
}

static int mask(struct covers *covers, int root_fd, const char *path, struct err *err)
{
	AUTO_CLOSE int target = -1;
	struct stat status;
	int result = open_path(root_fd, path, &target, err);

	if (result < 0 || target < 0)
		return result;
	if (fstat(target, &status) < 0)
		result = err_sys(err, errno, "cannot examine it");
	else if (S_ISDIR(status.st_mode))
		result = cover_directory(covers, target, err);
	else
		result = cover_file(covers, root_fd, target, err);
	return result < 0 ? err_wrap(err, "cannot mask %s", path) : 0;
}

static int make_readonly(int root_fd, const char *path, struct err *err)
{
	const struct mount_options readonly = { .set = MOUNT_ATTR_RDONLY };
	AUTO_CLOSE int target = -1;
	AUTO_CLOSE int mount = -1;
	int result = open_path(root_fd, path, &target, err);

	if (result < 0 || target < 0)
		return result;
	mount = mount_api_clone(target, "", AT_EMPTY_PATH | AT_RECURSIVE);
	result = mount < 0 ? mount : mount_api_attach(mount, target);
	if (result < 0)
		err_sys(err, -result, "cannot attach its clone");
	else
		result = mount_change(mount, true, &readonly, err);
	return result < 0 ? err_wrap(err, "cannot make %s read-only", path) : 0;
}

int protect_paths(const struct spec *spec, int root_fd, struct err *err)
{
	const struct mount_options readonly = { .set = MOUNT_ATTR_RDONLY };
	struct covers covers = { -1, -1 };
	int result = 0;

	for (char **path = spec->masked_paths; path && *path && result == 0; path++)
		result = mask(&covers, root_fd, *path, err);
	cleanup_close(&covers.directory);
	cleanup_close(&covers.file);
	for (char **path = spec->readonly_paths; path && *path && result == 0; path++)
		result = make_readonly(root_fd, *path, err);
	if (result == 0 && spec->root_readonly) {
		result = mount_change(root_fd, false, &readonly, err);
		if (result < 0)
			err_wrap(err, "cannot make the root read-only");
	}
	return result;
}
