/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "manager/runtime/mount_api.h"
#include "manager/runtime/mount_peers.h"
#include "manager/runtime/target.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

static int source_failed(const struct spec_mount *mount, int num, struct err *err)
{
	err_sys(err, num, "cannot open %s to mount it on %s", mount->source, mount->destination);
	if (num == ENOENT)
		err_hint(err, "the source of a bind mount has to exist on the host");
	return err_code(err);
}

/* A container may have put symlinks there: they are followed no further than the source. */
static int open_subpath(const struct spec_mount *mount, const char *subpath, int source, int *out,
			struct err *err)
{
	int fd = fd_open_beneath(source, subpath, O_PATH, 0);

	if (fd == -EXDEV)
		return err_set(err, ERR_INVALID, EXDEV, "%s leads out of %s", subpath,
			       mount->source);
	if (fd < 0)
		return err_sys(err, -fd, "cannot open %s in %s to mount it on %s", subpath,
			       mount->source, mount->destination);
	*out = fd;
	return 0;
}

static int open_source(const struct spec_mount *mount, const struct mount_options *options,
		       int *out, struct err *err)
{
	const unsigned flags = options->recursive ? AT_RECURSIVE : 0;
	AUTO_CLOSE int source = -1;
	AUTO_CLOSE int place = -1;
	int fd, result;

	if (!options->subpath && !mount_needs_peers(options->propagation)) {
		fd = mount_api_clone(AT_FDCWD, mount->source, flags);
		if (fd < 0)
			return source_failed(mount, -fd, err);
		*out = fd;
		return 0;
	}
	source = open(mount->source, O_PATH | O_CLOEXEC);
	if (source < 0)
		return source_failed(mount, errno, err);
	result = mount_peers_check(source, options->propagation, mount->source, err);
	if (result == 0 && options->subpath)
		result = open_subpath(mount, options->subpath, source, &place, err);
	if (result < 0)
		return result;
	fd = mount_api_clone(place >= 0 ? place : source, "", AT_EMPTY_PATH | flags);
	if (fd < 0)
		return source_failed(mount, -fd, err);
	*out = fd;
	return 0;
}

int mounts_open_sources(const struct spec *spec, int **out, struct err *err)
{
	int *sources = malloc((spec->nmounts + 1) * sizeof(*sources));
	int result = 0;

	if (!sources)
		return err_sys(err, ENOMEM, "cannot list the mounts");
	for (size_t i = 0; i < spec->nmounts; i++)
		sources[i] = -1;
	for (size_t i = 0; i < spec->nmounts && result == 0; i++) {
		struct mount_options options;

		mount_options_parse(spec->mounts[i].options, &options);
		if (options.bind || strcmp(spec->mounts[i].type, "bind") == 0)
			result = open_source(&spec->mounts[i], &options, &sources[i], err);
	}
	if (result < 0) {
		mounts_close_sources(spec, sources);
		return result;
	}
	*out = sources;
	return 0;
}

void mounts_close_sources(const struct spec *spec, int *sources)
{
	for (size_t i = 0; sources && i < spec->nmounts; i++)
		if (sources[i] >= 0)
			close(sources[i]);
	free(sources);
}

void mount_explain(int fs, char *text, size_t size)
{
	char line[200];
	ssize_t len = read(fs, line, sizeof(line) - 1); /* "e overlay: …", one a read; fsopen(2) */

	text[0] = '\0';
	if (len <= 2)
		return;
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	snprintf(text, size, " (%s)", line + 2);
}

static int configure(int fs, const char *option)
{
	const char *equals = strchr(option, '=');
	char key[64];

	if (!equals)
		return mount_api_fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL);
	if ((size_t)(equals - option) >= sizeof(key))
		return -EINVAL;
	memcpy(key, option, (size_t)(equals - option));
	key[equals - option] = '\0';
	return mount_api_fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1);
}

int mount_filesystem(const char *type, const char *source, char *const *options,
		     uint64_t attributes, int *out, struct err *err)
{
	AUTO_CLOSE int fs = mount_api_fsopen(type);
	char why[256];
	int result = 0;

	if (fs == -ENODEV)
		return err_set(err, ERR_UNSUPPORTED, ENODEV, "this kernel has no file system %s",
			       type);
	if (fs < 0)
		return err_sys(err, -fs, "cannot prepare file system %s", type);
	if (source)
		result = mount_api_fsconfig(fs, FSCONFIG_SET_STRING, "source", source);
	for (size_t i = 0; options && options[i] && result == 0; i++) {
		if (mount_option_is_data(options[i]))
			result = configure(fs, options[i]);
		if (result < 0) {
			mount_explain(fs, why, sizeof(why));
			return err_sys(err, -result, "option %s of file system %s%s", options[i],
				       type, why);
		}
	}
	if (result == 0)
		result = mount_api_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (result == 0)
		result = mount_api_fsmount(fs, attributes);
	if (result < 0) {
		mount_explain(fs, why, sizeof(why));
		return err_sys(err, -result, "cannot make file system %s%s", type, why);
	}
	*out = result;
	return 0;
}

/* mount_setattr(2) and mount(2) have different names for the same. */
static const struct {
	uint64_t attribute;
	unsigned long flag;
} classic[] = {
	{ MOUNT_ATTR_RDONLY, MS_RDONLY },	  { MOUNT_ATTR_NOSUID, MS_NOSUID },
	{ MOUNT_ATTR_NODEV, MS_NODEV },		  { MOUNT_ATTR_NOEXEC, MS_NOEXEC },
	{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME },
};

static int change_classic(int mount_fd, const struct mount_options *options)
{
	unsigned long flags = MS_REMOUNT | MS_BIND;
	struct statvfs present; /* its flags are those of mount(2), and all that are not named go */
	char path[64];
	int result;

	if (fstatvfs(mount_fd, &present) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(classic) / sizeof(classic[0]); i++) {
		uint64_t attribute = classic[i].attribute;

		if ((options->set & attribute) ||
		    ((present.f_flag & classic[i].flag) && !(options->clear & attribute)))
			flags |= classic[i].flag;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mount_fd);
	result = mount_api_mount(NULL, path, NULL, flags, NULL);
	if (result == 0 && options->propagation)
		result = mount_api_mount(
			NULL, path, NULL,
			options->propagation | (options->recursive_propagation ? MS_REC : 0), NULL);
	return result;
}

int mount_change(int mount_fd, bool recursive, const struct mount_options *options, struct err *err)
{
	/* of the access times one is set by clearing all of them; mount_setattr(2) */
	const uint64_t loosened = options->clear & ~(uint64_t)MOUNT_ATTR__ATIME;
	struct mount_attr change = {
		.attr_set = options->set,
		.attr_clr = options->clear & MOUNT_ATTR__ATIME,
	};
	int result = 0;

	if (change.attr_set || change.attr_clr)
		result = mount_api_setattr(mount_fd, recursive ? AT_RECURSIVE : 0, &change);
	if (result == 0 && loosened) {
		change = (struct mount_attr){ .attr_clr = loosened };
		result = mount_api_setattr(mount_fd, 0, &change);
	}
	if (result == 0 && options->propagation) {
		change = (struct mount_attr){ .propagation = options->propagation };
		result = mount_api_setattr(
			mount_fd, options->recursive_propagation ? AT_RECURSIVE : 0, &change);
	}
	if (result == -ENOSYS)
		result = change_classic(mount_fd, options);
	if (result < 0)
		return err_sys(err, -result, "cannot set the mount's attributes");
	return 0;
}

/*
 * An image with a symlink at /proc or /sys would have the engine mask and protect one place while
 * programs look at another. *out is the directory, or -1 where it has to be made.
 */
static int open_real_directory(int root_fd, const struct spec_mount *mount, int *out,
			       struct err *err)
{
	struct stat status;
	AUTO_CLOSE int fd = fd_open_in_root(root_fd, mount->destination, O_PATH | O_NOFOLLOW, 0);

	if (fd < 0 || fstat(fd, &status) < 0)
		return 0;
	if (S_ISLNK(status.st_mode))
		return err_set(err, ERR_INVALID, ELOOP,
			       "%s of the image is a symlink, and %s is mounted on directories "
			       "only",
			       mount->destination, mount->type);
	if (S_ISDIR(status.st_mode))
		*out = STEAL_FD(fd);
	return 0;
}

/* A bind mount has no file system of its own to hand options to. */
static int refuse_data(const struct spec_mount *mount, struct err *err)
{
	for (size_t i = 0; mount->options && mount->options[i]; i++)
		if (mount_option_is_data(mount->options[i]))
			return err_set(err, ERR_INVALID, EINVAL, "unknown option %s",
				       mount->options[i]);
	return 0;
}

static int open_target(int root_fd, const struct spec_mount *mount, int source, int *out,
		       struct err *err)
{
	enum target_kind kind = TARGET_DIRECTORY;
	struct stat status;
	int result = 0;

	if (strcmp(mount->type, "proc") == 0 || strcmp(mount->type, "sysfs") == 0)
		result = open_real_directory(root_fd, mount, out, err);
	if (result < 0 || *out >= 0)
		return result;
	if (source >= 0) {
		result = refuse_data(mount, err);
		if (result < 0)
			return result;
		if (fstat(source, &status) < 0)
			return err_sys(err, errno, "cannot examine %s", mount->source);
		if (!S_ISDIR(status.st_mode))
			kind = TARGET_FILE;
	}
	return target_ensure(root_fd, mount->destination, kind, out, err);
}

/*
 * mount(2), upon the working directory, which is the target then: for what it can express it takes
 * a third of the time of the calls that tell why something cannot be mounted. -EAGAIN: let those do
 * it.
 */
static int mount_here(const struct spec_mount *mount, const char *type,
		      const struct mount_options *options)
{
	unsigned long flags = 0;
	uint64_t rest = options->set;
	char data[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(classic) / sizeof(classic[0]); i++)
		if (rest & classic[i].attribute) {
			flags |= classic[i].flag;
			rest &= ~classic[i].attribute;
		}
	for (char *const *option = mount->options; option && *option; option++) {
		int n;

		if (!mount_option_is_data(*option))
			continue;
		if (strchr(*option, ','))
			return -EAGAIN;
		n = snprintf(data + len, sizeof(data) - len, "%s%s", len ? "," : "", *option);
		if (n < 0 || (size_t)n >= sizeof(data) - len)
			return -EAGAIN;
		len += (size_t)n;
	}
	/* `ro` would be that of the file system, and not of this mount of it alone */
	if (rest || (flags & MS_RDONLY) || options->propagation)
		return -EAGAIN;
	return mount_api_mount(mount->source ? mount->source : "none", ".", type, flags, data) < 0 ?
		       -EAGAIN :
		       0;
}

/* In a cgroup namespace the one hierarchy every kernel has shows the container's own group. */
static const char *type_of(const struct spec_mount *mount)
{
	return strcmp(mount->type, "cgroup") == 0 ? "cgroup2" : mount->type;
}

static int make_one(const struct spec_mount *mount, int root_fd, int source, struct err *err)
{
	struct mount_options options;
	AUTO_CLOSE int made = -1;
	AUTO_CLOSE int target = -1;
	int result = open_target(root_fd, mount, source, &target, err);

	if (result == 0)
		result = target_check(root_fd, mount->destination, target, err);
	if (result < 0)
		return result;
	mount_options_parse(mount->options, &options);
	if (source < 0 && fchdir(target) == 0 && mount_here(mount, type_of(mount), &options) == 0)
		return 0;
	if (source < 0) {
		result = mount_filesystem(type_of(mount), mount->source, mount->options,
					  options.set, &made, err);
		options.set = options.clear = 0; /* fsmount(2) did it */
		if (result < 0)
			return result;
	}
	/* It was taken from the host as it is there, shared perhaps. */
	if (source >= 0 && !options.propagation) {
		options.propagation = MS_PRIVATE;
		options.recursive_propagation = true;
	}
	result = mount_api_attach(source < 0 ? made : source, target);
	if (result < 0)
		return err_sys(err, -result, "cannot attach the mount");
	return mount_change(source < 0 ? made : source, options.recursive && !options.shallow,
			    &options, err);
}

size_t mounts_before_network(const struct spec *spec)
{
	size_t n = 0;

	while (n < spec->nmounts && strcmp(spec->mounts[n].type, "sysfs") != 0)
		n++;
	return n;
}

int mounts_make(const struct spec *spec, size_t start, size_t end, int root_fd, const int *sources,
		struct err *err)
{
	for (size_t i = start; i < end; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (make_one(mount, root_fd, sources[i], err) < 0)
			return err_wrap(err, "cannot mount %s on %s",
					sources[i] < 0 ? mount->type : mount->source,
					mount->destination);
	}
	/* not the last target, which a mount lies over now */
	return chdir("/") < 0 ? err_sys(err, errno, "cannot enter /") : 0;
}
