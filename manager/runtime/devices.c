/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "manager/runtime/mount_api.h"
#include "manager/runtime/mounts.h"
#include "manager/runtime/target.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },	 { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

/* By now: what comes later hides the nodes, and those that the engine opens before are its own. */
static bool is_bound(const struct spec *spec, const char *path)
{
	const size_t made = mounts_before_network(spec);

	for (size_t i = 0; i < made; i++) {
		struct mount_options options;

		mount_options_parse(spec->mounts[i].options, &options);
		if (options.bind && strcmp(spec->mounts[i].destination, path) == 0)
			return true;
	}
	return false;
}

static mode_t type_bits(char type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

/* A node that an image brought along serves, if it is the same. */
static int check_node(int directory, const char *name, const struct spec_device *device,
		      struct err *err)
{
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot examine device %s", device->path);
	if ((status.st_mode & S_IFMT) != type_bits(device->type) ||
	    (device->type != 'p' &&
	     status.st_rdev != makedev((unsigned)device->major, (unsigned)device->minor)))
		return err_set(err, ERR_INVALID, EEXIST,
			       "cannot make device %s: the image has something else there",
			       device->path);
	return 0;
}

static int make_node(int root_fd, int dev, const struct spec_device *device, bool is_host,
		     struct err *err)
{
	const char *name = strrchr(device->path, '/');
	AUTO_CLOSE int parent = -1;
	char directory[PATH_MAX];
	int at = dev;
	int result;

	if (!name || name[1] == '\0' || strlen(device->path) >= sizeof(directory))
		return err_set(err, ERR_INVALID, EINVAL, "not the path of a device: %.200s",
			       device->path);
	name++;
	if (!begins_with(device->path, "/dev/") || name != device->path + 5) {
		snprintf(directory, sizeof(directory), "%.*s", (int)(name - device->path),
			 device->path);
		result = target_ensure(root_fd, directory, TARGET_DIRECTORY, &parent, err);
		if (result < 0)
			return result;
		at = parent;
	}
	if (mknodat(at, name, type_bits(device->type) | device->file_mode,
		    makedev((unsigned)device->major, (unsigned)device->minor)) < 0) {
		if (errno == EEXIST)
			return is_host ? 0 : check_node(at, name, device, err);
		return err_sys(err, errno, "cannot make device %s", device->path);
	}
	if ((device->uid || device->gid) &&
	    fchownat(at, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot set the owner of device %s", device->path);
	return 0;
}

int devices_make(const struct spec *spec, const struct device_list *host, int root_fd,
		 struct err *err)
{
	AUTO_CLOSE int dev = -1;
	int result;

	if (is_bound(spec, "/dev"))
		return 0;
	result = target_ensure(root_fd, "/dev", TARGET_DIRECTORY, &dev, err);
	for (size_t i = 0; i < spec->ndevices && result == 0; i++)
		result = make_node(root_fd, dev, &spec->devices[i], false, err);
	for (size_t i = 0; i < host->count && result == 0; i++)
		result = make_node(root_fd, dev, &host->devices[i], true, err);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]) && result == 0; i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
			result = err_sys(err, errno, "cannot make /dev/%s", links[i].name);
	return result;
}

int devices_bind_console(int root_fd, int slave, struct err *err)
{
	AUTO_CLOSE int target = -1;
	AUTO_CLOSE int mount = -1;
	int result = target_ensure(root_fd, "/dev/console", TARGET_FILE, &target, err);

	if (result < 0)
		return result;
	mount = mount_api_clone(slave, "", AT_EMPTY_PATH);
	if (mount < 0)
		return err_sys(err, -mount, "cannot bind the terminal");
	result = mount_api_attach(mount, target);
	if (result < 0)
		return err_sys(err, -result, "cannot put the terminal on /dev/console");
	return 0;
}
