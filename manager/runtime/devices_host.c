/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "manager/runtime/devices.h"
#include "store/base/cleanup.h"

#define DEPTH_MAX 8

/* File systems of their own, links, and terminals that mean another thing inside. */
static const char *const left_out[] = {
	"pts", "shm", "fd", "mqueue", "hugepages", "console", "ptmx", "tty", ".udev",
};

static bool is_left_out(const char *name)
{
	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (strcmp(left_out[i], name) == 0)
			return true;
	return false;
}

static int add(struct device_list *list, const char *path, const char *source,
	       const struct stat *status)
{
	struct spec_device *more =
		reallocarray(list->devices, list->count + 1, sizeof(*list->devices));
	char *copy = strdup(path), *from = strdup(source);

	if (more)
		list->devices = more;
	if (!more || !copy || !from) {
		free(copy);
		free(from);
		return -ENOMEM;
	}
	more[list->count++] = (struct spec_device){
		.path = copy,
		.type = S_ISBLK(status->st_mode) ? 'b' : 'c',
		.major = major(status->st_rdev),
		.minor = minor(status->st_rdev),
		.file_mode = status->st_mode & 0777,
		.uid = status->st_uid,
		.gid = status->st_gid,
		.source = from,
	};
	return 0;
}

/* Where the walk is: the same directory as the host and as the container names it. */
struct place {
	const char *host, *inside;
};

static int walk(int parent, const char *name, const struct place *place, int depth,
		struct device_list *list);

/* What is gone by now was no device to speak of. */
static int visit(int dir, const char *name, const struct place *place, int depth,
		 struct device_list *list)
{
	AUTO_FREE char *host = NULL;
	AUTO_FREE char *inside = NULL;
	struct stat status;

	if (asprintf(&host, "%s/%s", place->host, name) < 0)
		host = NULL;
	if (asprintf(&inside, "%s/%s", place->inside, name) < 0)
		inside = NULL;
	if (!host || !inside)
		return -ENOMEM;
	if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(status.st_mode))
		return depth < DEPTH_MAX ?
			       walk(dir, name, &(struct place){ host, inside }, depth + 1, list) :
			       0;
	if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
		return add(list, inside, host, &status);
	return 0;
}

static int walk(int parent, const char *name, const struct place *place, int depth,
		struct device_list *list)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (!dir) {
		result = fd < 0 && errno == ENOENT ? 0 : -errno;
		if (fd >= 0)
			close(fd);
		return result;
	}
	while (result == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !(depth == 0 && is_left_out(entry->d_name)))
			result = visit(dirfd(dir), entry->d_name, place, depth, list);
	closedir(dir);
	return result;
}

void device_list_release(struct device_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->devices[i].path);
		free(list->devices[i].source);
	}
	free(list->devices);
	*list = (struct device_list){ NULL, 0 };
}

int devices_of_directory(const char *directory, const char *inside, struct device_list *out,
			 struct err *err)
{
	struct device_list list = { NULL, 0 };
	const struct place place = { directory, inside };
	int result =
		walk(AT_FDCWD, directory, &place, strcmp(directory, "/dev") == 0 ? 0 : 1, &list);

	if (result < 0) {
		device_list_release(&list);
		return err_sys(err, -result, "cannot list the devices in %s", directory);
	}
	*out = list;
	return 0;
}

static void follow(struct spec *spec, struct spec_device *device, const struct stat *status)
{
	const struct spec_device before = *device;

	device->type = S_ISBLK(status->st_mode) ? 'b' : 'c';
	device->major = major(status->st_rdev);
	device->minor = minor(status->st_rdev);
	for (size_t i = 0; i < spec->resources.ndevices; i++) {
		struct spec_device_rule *rule = &spec->resources.devices[i];

		if (rule->type != before.type || rule->major != before.major ||
		    rule->minor != before.minor)
			continue;
		rule->type = device->type;
		rule->major = device->major;
		rule->minor = device->minor;
	}
}

int devices_follow_host(struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->ndevices; i++) {
		struct spec_device *device = &spec->devices[i];
		struct stat status;

		if (!device->source)
			continue;
		if (stat(device->source, &status) < 0)
			return err_sys(err, errno, "device %s of the host", device->source);
		if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))
			return err_set(err, ERR_INVALID, ENODEV,
				       "%s of the host is no device any more", device->source);
		follow(spec, device, &status);
	}
	return 0;
}
