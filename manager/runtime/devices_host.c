/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "manager/runtime/devices.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

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
	AUTO_CLOSEDIR DIR *dir = fd_opendir(parent, name);
	const struct dirent *entry;
	int result = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (result == 0 && (entry = fd_readdir(dir)))
		if (depth > 0 || !is_left_out(entry->d_name))
			result = visit(dirfd(dir), entry->d_name, place, depth, list);
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

/* --- the same device at the next start --- */

#define LINKS_MAX 40 /* as the kernel has it: path_resolution(7) */

/* Nobody but root can give a name in it another meaning. */
static bool is_roots(int dir_fd)
{
	struct stat status;

	return fstat(dir_fd, &status) == 0 && status.st_uid == 0 && !(status.st_mode & 022);
}

/* A symlink's target takes the place of its name in the path that is left. */
static bool expand(int link_fd, char rest[PATH_MAX])
{
	char target[PATH_MAX], remaining[PATH_MAX];
	ssize_t n = readlinkat(link_fd, "", target, sizeof(target));
	int len;

	if (n <= 0 || (size_t)n == sizeof(target))
		return false;
	strcpy(remaining, rest);
	len = snprintf(rest, PATH_MAX, "%.*s/%s", (int)n, target, remaining);
	return len > 0 && len < PATH_MAX;
}

/*
 * Takes the first name off `rest`, and *dir_fd to what it means. False where others than root, or
 * nobody, could say what that is.
 */
static bool step(int *dir_fd, char rest[PATH_MAX], int *links)
{
	const char *from = rest[0] == '/' ? "/" : ".";
	AUTO_CLOSE int dir = openat(*dir_fd, from, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int next = -1;
	char name[NAME_MAX + 1];
	size_t skip = strspn(rest, "/"), len = strcspn(rest + skip, "/");
	struct stat status;

	if (dir < 0 || len > NAME_MAX || !is_roots(dir))
		return false;
	memcpy(name, rest + skip, len);
	name[len] = '\0';
	skip += len;
	skip += strspn(rest + skip, "/");
	memmove(rest, rest + skip, strlen(rest + skip) + 1);
	next = openat(dir, len ? name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0 || fstat(next, &status) < 0)
		return false;
	if (S_ISLNK(status.st_mode)) {
		if (++*links > LINKS_MAX || !expand(next, rest))
			return false;
		cleanup_close(&next);
		next = STEAL_FD(dir);
	}
	cleanup_close(dir_fd);
	*dir_fd = STEAL_FD(next);
	return true;
}

static bool only_root_says_what_it_is(const char *path)
{
	AUTO_CLOSE int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char rest[PATH_MAX];
	int links = 0;

	if (fd < 0 || strlen(path) >= sizeof(rest))
		return false;
	strcpy(rest, path);
	while (rest[0])
		if (!step(&fd, rest, &links))
			return false;
	return true;
}

static bool is_same(const struct spec_device *device, const struct stat *status)
{
	return device->type == (S_ISBLK(status->st_mode) ? 'b' : 'c') &&
	       device->major == major(status->st_rdev) && device->minor == minor(status->st_rdev);
}

static int fail_replaced(const struct spec_device *device, const struct stat *status,
			 struct err *err)
{
	err_set(err, ERR_STATE, EPERM,
		"device %s of the host is another one (%u:%u) than when the container was created "
		"(%lld:%lld), and not only root can have made it so",
		device->source, major(status->st_rdev), minor(status->st_rdev),
		(long long)device->major, (long long)device->minor);
	return err_hint(err, "if it is what it is to have, create the container anew");
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
		if (is_same(device, &status))
			continue;
		if (!only_root_says_what_it_is(device->source))
			return fail_replaced(device, &status, err);
		follow(spec, device, &status);
	}
	return 0;
}
