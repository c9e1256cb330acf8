/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/rootfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/kernel.h"
#include "manager/runtime/mount_api.h"
#include "manager/runtime/mount_visit.h"
#include "manager/runtime/mounts.h"
#include "store/base/cleanup.h"
#include "store/base/private_mounts.h"
#include "store/base/privilege.h"
#include "store/base/strv.h"

#define VALUE_MAX 255	 /* of a string given to fsconfig(2) */
#define OPTIONS_MAX 4096 /* of mount(2): a page */

static int open_directory(const char *path, int *out, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", path);
	*out = fd;
	return 0;
}

/*
 * Give the overlay one directory: by its descriptor where its path is too long for fsconfig(2), or
 * has a character that the overlay takes for an escape.
 */
static int add_directory(int fs, const char *key, const char *path, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char value[64];
	char why[256];
	int result;

	if (strlen(path) <= VALUE_MAX && !strchr(path, '\\')) {
		result = mount_api_fsconfig(fs, FSCONFIG_SET_STRING, key, path);
	} else {
		result = open_directory(path, &fd, err);
		if (result < 0)
			return result;
		snprintf(value, sizeof(value), "/proc/self/fd/%d", fd);
		result = mount_api_fsconfig(fs, FSCONFIG_SET_STRING, key, value);
	}
	if (result < 0) {
		mount_explain(fs, why, sizeof(why));
		err_sys(err, -result, "%s %s%s", key, path, why);
		if (result == -EINVAL && strcmp(key, "upperdir") == 0)
			err_hint(err, "this file system cannot hold what containers change: set "
				      "CMAN_ROOT to a directory of another one (in a container: of "
				      "a volume)");
		return err_code(err);
	}
	return 0;
}

/*
 * Whatever this kernel's overlay module has by default: what is in an upper directory has to be
 * there by itself, or no image could be made of it.
 */
static int set_features(int fs)
{
	static const char *const features[][2] = {
		{ "redirect_dir", "nofollow" },
		{ "metacopy", "off" },
		{ "index", "off" },
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]) && result == 0; i++)
		result =
			mount_api_fsconfig(fs, FSCONFIG_SET_STRING, features[i][0], features[i][1]);
	return result;
}

/* Linux 6.8 and later: one layer at a time, of any number. */
static int overlay_by_layer(const struct spec_overlay *overlay, int *out, struct err *err)
{
	AUTO_CLOSE int fs = mount_api_fsopen("overlay");
	char why[256];
	int result = 0;

	if (fs == -ENODEV) {
		err_set(err, ERR_UNSUPPORTED, ENODEV, "this kernel has no overlay file system");
		return err_hint(err, "modprobe overlay");
	}
	if (fs < 0) {
		err_sys(err, -fs, "cannot prepare an overlay");
		return fs == -EPERM ? privilege_hint(err) : err_code(err);
	}
	mount_api_fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay"); /* only a name to show */
	for (size_t i = strv_len(overlay->lower); i > 0 && result == 0; i--)
		result = add_directory(fs, "lowerdir+", overlay->lower[i - 1], err);
	if (result == 0 && overlay->upper)
		result = add_directory(fs, "upperdir", overlay->upper, err);
	if (result == 0 && overlay->upper)
		result = add_directory(fs, "workdir", overlay->work, err);
	if (result < 0)
		return result;
	if (overlay->is_volatile)
		mount_api_fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL);
	result = set_features(fs);
	if (result == 0)
		result = mount_api_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (result == 0)
		result = mount_api_fsmount(fs, 0);
	if (result < 0) {
		mount_explain(fs, why, sizeof(why));
		return err_sys(err, -result, "cannot make the file system%s", why);
	}
	*out = result;
	return 0;
}

int rootfs_overlay_options(const int *lower, size_t nlower, int upper, int work, bool is_volatile,
			   char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = nlower; i > 0; i--) {
		int n = snprintf(out + len, size - len, "%s/proc/self/fd/%d",
				 i == nlower ? "lowerdir=" : ":", lower[i - 1]);

		if (n < 0 || (size_t)n >= size - len)
			return -E2BIG;
		len += (size_t)n;
	}
	if (upper >= 0)
		len += (size_t)snprintf(out + len, size - len,
					",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d%s",
					upper, work, is_volatile ? ",volatile" : "");
	if (len < size)
		len += (size_t)snprintf(out + len, size - len,
					",redirect_dir=nofollow,metacopy=off,index=off");
	return len < size ? (int)len : -E2BIG;
}

/* Before Linux 6.8: mount(2), which wants a place; the uppermost directory is as good as any. */
static int overlay_classic(const struct spec_overlay *overlay, int *out, struct err *err)
{
	size_t nlower = strv_len(overlay->lower);
	const char *place = overlay->upper ? overlay->upper : overlay->lower[nlower - 1];
	AUTO_FREE int *lower = calloc(nlower + 1, sizeof(*lower));
	AUTO_CLOSE int upper = -1;
	AUTO_CLOSE int work = -1;
	char options[OPTIONS_MAX];
	size_t opened = 0;
	int result = 0;

	if (!lower)
		return err_sys(err, ENOMEM, "cannot list the layers");
	while (opened < nlower && result == 0) {
		result = open_directory(overlay->lower[opened], &lower[opened], err);
		opened += result == 0;
	}
	if (result == 0 && overlay->upper)
		result = open_directory(overlay->upper, &upper, err);
	if (result == 0 && overlay->upper)
		result = open_directory(overlay->work, &work, err);
	if (result == 0) {
		result = rootfs_overlay_options(lower, nlower, upper, work, overlay->is_volatile,
						options, sizeof(options));
		if (result >= 0)
			result = mount_api_mount("overlay", place, "overlay", 0, options);
		if (result < 0)
			err_sys(err, -result, "cannot make the file system of %zu layers", nlower);
	}
	while (opened > 0)
		close(lower[--opened]);
	/* by its path once more: what was opened is what the mount covers */
	return result < 0 ? result : open_directory(place, out, err);
}

/* Since 6.8 an overlay takes its layers one by one, through the calls for detached mounts. */
static bool has_detached_overlays(void)
{
	struct kernel_release release;
	struct err ignored;

	return kernel_get_release(&release, &ignored) == 0 && kernel_is_at_least(&release, 6, 8);
}

/* In a mount namespace of its own, which ends with the visit: only the clone stays. */
static int layers_classic(void *data, struct err *err)
{
	const struct spec_overlay *overlay = data;
	AUTO_CLOSE int mount = -1;
	int result = private_mounts_make(err);

	if (result == 0)
		result = overlay_classic(overlay, &mount, err);
	if (result < 0)
		return result;
	result = mount_api_clone(mount, "", AT_EMPTY_PATH);
	return result < 0 ? err_sys(err, -result, "cannot clone the mount") : result;
}

int rootfs_mount_layers(char *const *lower, int *out, struct err *err)
{
	struct spec_overlay overlay = { .lower = (char **)lower };
	int result = 0;

	if (has_detached_overlays())
		result = overlay_by_layer(&overlay, out, err);
	else
		result = mount_visit(-1, layers_classic, &overlay, out, err);
	return result < 0 ? err_wrap(err, "cannot mount the layers") : 0;
}

/* Lay a detached mount over "/": so it needs no directory of its own on the host. */
static int attach(int mount, struct err *err)
{
	AUTO_CLOSE int place = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int result = place < 0 ? -errno : mount_api_attach(mount, place);

	if (result < 0)
		return err_sys(err, -result, "cannot attach the root file system");
	return 0;
}

int rootfs_mount(const struct spec *spec, int *out, struct err *err)
{
	AUTO_CLOSE int mount = -1;
	int result;

	if (spec->overlay.lower && !has_detached_overlays()) {
		result = overlay_classic(&spec->overlay, out, err);
		return result < 0 ? err_wrap(err, "cannot mount overlay") : 0;
	}
	if (spec->overlay.lower) {
		if (overlay_by_layer(&spec->overlay, &mount, err) < 0)
			return err_wrap(err, "cannot mount overlay");
	} else {
		mount = mount_api_clone(AT_FDCWD, spec->root_path, AT_RECURSIVE);
		if (mount < 0)
			return err_sys(err, -mount, "cannot use %s as the root file system",
				       spec->root_path);
	}
	result = attach(mount, err);
	if (result < 0)
		return result;
	*out = STEAL_FD(mount);
	return 0;
}

/*
 * pivot_root(2) with both arguments the same stacks the old root on top of the new one, from where
 * it is taken off; nothing of it stays reachable.
 */
int rootfs_enter(int mount, int *root_fd, struct err *err)
{
	int result;

	if (fchdir(mount) < 0)
		return err_sys(err, errno, "cannot enter the root file system");
	result = mount_api_pivot_root(".", ".");
	if (result < 0)
		return err_sys(err, -result, "cannot make it the root (pivot_root)");
	result = mount_api_umount(".", UMOUNT_DETACH);
	if (result < 0)
		return err_sys(err, -result, "cannot detach the host's root");
	if (chdir("/") < 0)
		return err_sys(err, errno, "cannot enter /");
	result = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (result < 0)
		return err_sys(err, errno, "cannot open /");
	*root_fd = result;
	return 0;
}
